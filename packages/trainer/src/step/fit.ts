import type { TaskProfile, TrainingConfig } from '@steelyard/contracts';
import type { Standardisation } from '@steelyard/dataset';
import { optimizer as optimizerOf } from '@steelyard/optim';
import { shuffledOrder } from '@steelyard/random';
import { type Provider, type State, type Tensor, tensor } from '@steelyard/runtime';
import type { Architecture, Parameters } from '../model/architecture.js';
import type { Examples, TargetScale } from '../model/examples.js';
import { LOSS_SCALE } from '../model/value-names.js';
import type { Chunk } from './chunk.js';
import { exampleInputs, partOf, randomInputs, scalarInputs } from './chunk-inputs.js';
import { chunkSteps } from './chunk-size.js';
import { diverged, overflowed } from './diverged.js';
import type { Modulation } from './gradient-modulation.js';
import { HALTED } from './guarded.js';
import type { Loss } from './loss.js';
import { afterGood, afterSkip, GROWTH_INTERVAL, initialScaling, type LossScaling, SMALLEST_SCALE } from './loss-scaling.js';
import { openStep } from './open-step.js';
import { openPace } from './pace.js';
import { isGuarded } from './step-inputs.js';
import { initialState, namedParametersIn, namedSlotsIn, parametersIn, type SlotValues } from './step-state.js';

/** The numbers that a model begins with: its parameters and running statistics by name, and what the optimizer has of them; zeros where `slots` is empty. */
export type Beginning = { readonly values: ReadonlyMap<string, ArrayLike<number>>; readonly slots: SlotValues };

/** The training that a model has behind it, in epochs and steps: orders of rows, random numbers and the optimizer go on from there. `skipped` of the steps changed nothing, none unless given. */
export type TrainedBefore = { readonly epochs: number; readonly steps: number; readonly skipped?: number };

export type FitOptions = {
	readonly architecture: Architecture;
	readonly training: TrainingConfig;
	readonly task: TaskProfile;
	readonly loss: Loss;
	/** How much each class counts; null where they count alike. */
	readonly classWeights: readonly number[] | null;
	readonly scale: TargetScale;
	readonly standardisation: ReadonlyMap<string, Standardisation>;
	readonly train: Examples;
	/** Tells the random numbers of the models of one job apart. */
	readonly stream: number;
	/** How the gradients of encoders are modulated; null for not at all. */
	readonly modulation: Modulation | null;
	readonly provider: Provider;
	/** The state to go on from; what `beginning` gives where null. */
	readonly state: State | null;
	readonly beginning: () => Beginning;
	readonly before: TrainedBefore;
	/** Where the scale of the loss has come to; as it begins where null. */
	readonly scaling: LossScaling | null;
	/** Most steps of a chunk; as many as are quick where null. */
	readonly mostSteps: number | null;
	/** Whether values that gradients need are kept, or partly computed again: results are equal, but for the rounding of a few products at most. */
	readonly recompute: 'none' | 'segments';
};

/** What a chunk is run with beside its examples. */
export type ChunkOptions = {
	/** Weight of each modality of every training example, `[N, M]`. */
	readonly weights: Float32Array;
	/** Learning rate of a step, counted from 1 over the whole training. */
	readonly learningRate: (step: number) => number;
};

/** The mean loss of a step and the rows that it is the mean of; not finite alone where the precision is float16, of a step that changed nothing. */
export type StepLoss = { readonly loss: number; readonly rows: number };

/** A model in training. */
export type Fit = {
	/** Rows of a step, steps of an epoch, and of the whole training. */
	readonly batch: number;
	readonly perEpoch: number;
	readonly steps: number;
	/** The chunks of the whole training, from a place on. */
	chunks(from: { epoch: number; chunk: number }): Generator<Chunk, void, undefined>;
	/**
	 * Trains through a chunk from its step `from` on, counted from 0, for one or more steps: as many as are quick. Bit-identical for the same options and the same
	 * chunks before, however many steps a run takes. Throws ProblemError `diverged` where a loss is not finite; where the precision is float16, only where the gradients
	 * stay infinite at any scale of the loss.
	 */
	run(chunk: Chunk, from: number, options: ChunkOptions): Promise<StepLoss[]>;
	/** The next run may change the arrays: copy what has to stay. */
	parameters(): Promise<Parameters>;
	/** The slots of the optimizer, by the names of the parameters; as of `parameters`, the arrays are those of the moment. */
	slots(): Promise<ReadonlyMap<string, ReadonlyMap<string, Tensor>>>;
	/** Everything that another fit of the same options needs to go on; as of `parameters`, the arrays are those of the moment. */
	state(): Promise<State>;
	/** The scale of the loss; null where none follows from the gradients. */
	scaling(): LossScaling | null;
	dispose(): Promise<void>;
};

/** The state with which a program goes on that has halted. */
const goOn: State = { [HALTED]: tensor('float32', [1, 1], [0]) };

/** Compiles the training program of a model and loads it with its initial state, or with the one to go on from. */
export async function openFit(options: FitOptions): Promise<Fit> {
	const { architecture, training, train, stream, provider, recompute, before } = options;
	const { epochs, seed, clip_norm: clipNorm } = training;
	const count = train.rows.length;
	const batch = architecture.fixedBatch ?? Math.min(training.batch_size, count);
	// a loss that the graph takes over a whole batch cannot leave rows out: the rows of a last, short batch wait for the next order
	const perEpoch = architecture.ownLoss === null ? Math.ceil(count / batch) : Math.floor(count / batch);
	const { precision } = training;
	const guarded = isGuarded({ precision });
	const { weight_decay: weightDecay, learning_rate: _, ...rest } = training.optimizer;
	const optimizer = optimizerOf({ ...rest, weightDecay, moments: guarded ? 'plain' : 'scaled' });
	const { task, loss, classWeights, scale, standardisation, modulation } = options;
	const ofBatch = { architecture, task, loss, classWeights, scale, standardisation, batch };
	const ofStep = { ...ofBatch, modulation, optimizer, clipNorm, recompute, precision, halfPrecision: provider !== 'cpu' };
	const { step, numbers, most: mostInChunk, load } = await openStep(ofStep, provider);
	const perChunk = chunkSteps({
		provider,
		work: step.work,
		batch,
		perEpoch,
		most: Math.min(mostInChunk, options.mostSteps ?? mostInChunk),
		modalities: architecture.modalities,
		targets: architecture.auxiliary.reduce((sum, { positions }) => sum + positions, 0),
	});

	const begun = (): State => {
		const { values, slots } = options.beginning();
		return initialState(step, values, slots);
	};
	const state = options.state ?? begun();
	const program = await load(state, perChunk, { threads: training.threads });

	const examples = exampleInputs(step, { train, architecture, modalityDropout: training.modality_dropout ?? 0 });
	const ofRandom = randomInputs(step);
	const pace = openPace();
	let scaling = guarded ? (options.scaling ?? initialScaling) : null;

	let drawn: { epoch: number; order: Uint32Array } | null = null;
	const orderOf = (epoch: number): Uint32Array => {
		if (drawn?.epoch !== epoch) drawn = { epoch, order: shuffledOrder(seed, before.epochs + epoch, count) };
		return drawn.order;
	};
	/** A chunk of an epoch, the first one of the next epoch where it has no more; null behind the last. */
	const chunkAt = (epoch: number, index: number): Chunk | null => {
		if (epoch >= epochs) return null;
		const first = index * perChunk;
		if (first >= perEpoch) return chunkAt(epoch + 1, 0);
		const length = Math.min(perChunk, perEpoch - first);
		const seen = Math.min(count, (first + length) * batch);
		const places = orderOf(epoch).subarray(first * batch, seen);
		return { epoch, index, step: epoch * perEpoch + first, length, places, seen, endsEpoch: first + length === perEpoch };
	};
	let prepared: { chunk: Chunk; inputs: Record<string, Tensor> } | null = null;
	/** The inputs of a whole chunk, of which its runs take parts. */
	const inputsOf = (chunk: Chunk, { weights, learningRate }: ChunkOptions): Record<string, Tensor> => {
		if (prepared?.chunk === chunk) return prepared.inputs;
		const whole = { ...chunk, step: before.steps + chunk.step };
		const place = { seed, stream, step: whole.step };
		const inputs = {
			...examples.inputsOf(chunk, weights, place),
			...ofRandom(place, chunk.length),
			...scalarInputs(step, numbers, whole, (at) => learningRate(at - before.steps)),
		};
		prepared = { chunk, inputs };
		const next = chunkAt(chunk.epoch, chunk.index + 1);
		if (next !== null) examples.readAhead(next);
		return inputs;
	};
	/** The scalars of steps of which `skipped` before them do not count for the optimizer, under a scale of the loss. */
	const scaledInputs = (
		{ step: first, length }: Pick<Chunk, 'step' | 'length'>,
		{ scale, skipped }: LossScaling,
		learningRate: ChunkOptions['learningRate'],
	): Record<string, Tensor> => {
		const notMade = (before.skipped ?? 0) + skipped;
		return {
			...scalarInputs(step, numbers, { step: first - notMade, length }, (at) => learningRate(at + notMade - before.steps)),
			[LOSS_SCALE]: tensor('float32', [length], new Float32Array(length).fill(scale)),
		};
	};
	return {
		batch,
		perEpoch,
		steps: epochs * perEpoch,
		*chunks(from) {
			for (let chunk = chunkAt(from.epoch, from.chunk); chunk !== null; chunk = chunkAt(chunk.epoch, chunk.index + 1)) yield chunk;
		},
		async run(chunk, from, options) {
			// behind a change of the scale the next step may well be skipped too, and all steps of a run behind one that is are for nothing
			const most = scaling === null ? chunk.length : scaling.good === 0 ? 1 : GROWTH_INTERVAL - scaling.good;
			const until = from + Math.min(pace.next(chunk.length - from), most);
			const inputs = {
				...partOf(step, inputsOf(chunk, options), { from, until, length: chunk.length }),
				...(scaling && scaledInputs({ step: before.steps + chunk.step + from, length: until - from }, scaling, options.learningRate)),
			};
			const started = performance.now();
			const outputs = await program.run(inputs);
			pace.took(until - from, performance.now() - started);
			const losses = (outputs['loss'] as Tensor).data as Float32Array;
			const skipped = (outputs['finite']?.data as Float32Array | undefined)?.indexOf(0) ?? -1;
			if (scaling !== null) {
				const good = skipped < 0 ? losses.length : skipped;
				if (good > 0) scaling = afterGood(scaling, good);
				if (skipped >= 0) {
					scaling = afterSkip(scaling);
					program.setState(goOn);
					if (scaling.scale < SMALLEST_SCALE) throw overflowed({ step: chunk.step + from + skipped, epoch: chunk.epoch, training });
				}
			}
			const made = Array.from(skipped < 0 ? losses : losses.subarray(0, skipped + 1));
			const bad = made.findIndex((loss, j) => !Number.isFinite(loss) && j !== skipped);
			if (bad >= 0) {
				const parameters = namedParametersIn(step, await program.state());
				throw diverged({ loss: made[bad] as number, step: chunk.step + from + bad, epoch: chunk.epoch, parameters, training });
			}
			return made.map((loss, j) => ({ loss, rows: Math.min(batch, chunk.places.length - (from + j) * batch) }));
		},
		parameters: async () => parametersIn(step, await program.state()),
		slots: async () => namedSlotsIn(step, await program.state()),
		async state() {
			const { [HALTED]: _, ...state } = await program.state();
			return state;
		},
		scaling: () => scaling,
		dispose: () => program.dispose(),
	};
}
