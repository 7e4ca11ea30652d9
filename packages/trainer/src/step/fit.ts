import type { TaskProfile, TrainingConfig } from '@steelyard/contracts';
import type { Standardisation } from '@steelyard/dataset';
import { optimizer as optimizerOf } from '@steelyard/optim';
import { shuffledOrder } from '@steelyard/random';
import type { Provider, State, Tensor } from '@steelyard/runtime';
import type { Architecture, Parameters } from '../model/architecture.js';
import type { Examples, TargetScale } from '../model/examples.js';
import type { Chunk } from './chunk.js';
import { exampleInputs, partOf, randomInputs, scalarInputs } from './chunk-inputs.js';
import { chunkSteps } from './chunk-size.js';
import { diverged } from './diverged.js';
import type { Modulation } from './gradient-modulation.js';
import type { Loss } from './loss.js';
import { openStep } from './open-step.js';
import { openPace } from './pace.js';
import { initialState, namedParametersIn, namedSlotsIn, parametersIn, type SlotValues } from './step-state.js';

/** The numbers that a model begins with: its parameters and running statistics by name, and what the optimizer has of them; zeros where `slots` is empty. */
export type Beginning = { readonly values: ReadonlyMap<string, ArrayLike<number>>; readonly slots: SlotValues };

/** The training that a model has behind it, in epochs and steps: orders of rows, random numbers and the optimizer go on from there. */
export type TrainedBefore = { readonly epochs: number; readonly steps: number };

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
	/** Most steps of a chunk; as many as are quick where null. */
	readonly mostSteps: number | null;
	/** Whether values that gradients need are kept, or partly computed again: results are the same in every bit. */
	readonly recompute: 'none' | 'segments';
};

/** What a chunk is run with beside its examples. */
export type ChunkOptions = {
	/** Weight of each modality of every training example, `[N, M]`. */
	readonly weights: Float32Array;
	/** Learning rate of a step, counted from 1 over the whole training. */
	readonly learningRate: (step: number) => number;
};

/** The mean loss of a step and the rows that it is the mean of. */
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
	 * chunks before, however many steps a run takes. Throws ProblemError `diverged` where a loss is not finite.
	 */
	run(chunk: Chunk, from: number, options: ChunkOptions): Promise<StepLoss[]>;
	/** The next run may change the arrays: copy what has to stay. */
	parameters(): Parameters;
	/** The slots of the optimizer, by the names of the parameters; as of `parameters`, the arrays are those of the moment. */
	slots(): ReadonlyMap<string, ReadonlyMap<string, Tensor>>;
	/** Everything that another fit of the same options needs to go on; as of `parameters`, the arrays are those of the moment. */
	state(): State;
	dispose(): Promise<void>;
};

/** Compiles the training program of a model and loads it with its initial state, or with the one to go on from. */
export async function openFit(options: FitOptions): Promise<Fit> {
	const { architecture, training, train, stream, provider, recompute, before } = options;
	const { epochs, seed, clip_norm: clipNorm } = training;
	const count = train.rows.length;
	const batch = architecture.fixedBatch ?? Math.min(training.batch_size, count);
	// a loss that the graph takes over a whole batch cannot leave rows out: the rows of a last, short batch wait for the next order
	const perEpoch = architecture.ownLoss === null ? Math.ceil(count / batch) : Math.floor(count / batch);
	const { weight_decay: weightDecay, learning_rate: _, ...rest } = training.optimizer;
	const optimizer = optimizerOf({ ...rest, weightDecay });
	const { task, loss, classWeights, scale, standardisation, modulation } = options;
	const ofStep = { architecture, task, loss, classWeights, scale, standardisation, modulation, batch, optimizer, clipNorm, recompute };
	const { step, numbers, most, load } = await openStep(ofStep, provider);
	const perChunk = chunkSteps({
		provider,
		work: step.work,
		batch,
		perEpoch,
		most: Math.min(most, options.mostSteps ?? most),
		modalities: architecture.modalities,
		targets: architecture.auxiliary.reduce((sum, { positions }) => sum + positions, 0),
	});

	const begun = (): State => {
		const { values, slots } = options.beginning();
		return initialState(step, values, slots);
	};
	const state = options.state ?? begun();
	const program = await load(state, { threads: training.threads });

	const ofExamples = exampleInputs(step, { train, architecture, modalityDropout: training.modality_dropout ?? 0 });
	const ofRandom = randomInputs(step);
	const pace = openPace();
	let prepared: { chunk: Chunk; inputs: Record<string, Tensor> } | null = null;
	/** The inputs of a whole chunk, of which its runs take parts. */
	const inputsOf = (chunk: Chunk, { weights, learningRate }: ChunkOptions): Record<string, Tensor> => {
		if (prepared?.chunk === chunk) return prepared.inputs;
		const whole = { ...chunk, step: before.steps + chunk.step };
		const place = { seed, stream, step: whole.step };
		const inputs = {
			...ofExamples(chunk, weights, place),
			...ofRandom(place, chunk.length),
			...scalarInputs(step, numbers, whole, (at) => learningRate(at - before.steps)),
		};
		prepared = { chunk, inputs };
		return inputs;
	};
	return {
		batch,
		perEpoch,
		steps: epochs * perEpoch,
		*chunks(from) {
			for (let epoch = from.epoch; epoch < epochs; epoch++) {
				const order = shuffledOrder(seed, before.epochs + epoch, count);
				for (let index = epoch === from.epoch ? from.chunk : 0; index * perChunk < perEpoch; index++) {
					const first = index * perChunk;
					const length = Math.min(perChunk, perEpoch - first);
					const seen = Math.min(count, (first + length) * batch);
					const places = order.subarray(first * batch, seen);
					yield { epoch, index, step: epoch * perEpoch + first, length, places, seen, endsEpoch: first + length === perEpoch };
				}
			}
		},
		async run(chunk, from, options) {
			const until = from + pace.next(chunk.length - from);
			const inputs = partOf(step, inputsOf(chunk, options), { from, until, length: chunk.length });
			const started = performance.now();
			const outputs = await program.run(inputs);
			pace.took(until - from, performance.now() - started);
			return Array.from((outputs['loss'] as Tensor).data as Float32Array, (loss, j) => {
				const at = from + j;
				if (!Number.isFinite(loss)) {
					const parameters = namedParametersIn(step, program.state());
					throw diverged({ loss, step: chunk.step + at, epoch: chunk.epoch, parameters, training });
				}
				return { loss, rows: Math.min(batch, chunk.places.length - at * batch) };
			});
		},
		parameters: () => parametersIn(step, program.state()),
		slots: () => namedSlotsIn(step, program.state()),
		state: () => program.state(),
		dispose: () => program.dispose(),
	};
}
