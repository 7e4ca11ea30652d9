import { type Metrics, ProblemError, type TaskProfile, type TrainingConfig } from '@steelyard/contracts';
import { shuffledOrder } from '@steelyard/dataset';
import { initialPlateau, learningRateAt, optimizer as optimizerOf, type PlateauState, plateauAfter } from '@steelyard/optim';
import { loadProgram, type Provider, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import type { Architecture, Parameters } from '../model/architecture.js';
import { type ChunkPlace, drawPool, drawRows, poolOf } from '../model/dropout-pool.js';
import { type Examples, fillMask, fillTargets, maskWidth, type TargetScale } from '../model/examples.js';
import type { ParameterGroup } from '../model/parameter-layout.js';
import type { Standardisation } from '../model/standardise.js';
import { higherIsBetter } from '../report/metrics.js';
import { chunkSteps } from './chunk.js';
import type { Modulation } from './gradient-modulation.js';
import type { LossName } from './loss.js';
import { dropModalities } from './modality-dropout.js';
import { compileTrainProgram } from './train-program.js';

/** Where a fit stands; with the tensors of its program, all that it needs to go on. */
export type FitState = {
	/** Whole epochs done. */
	epoch: number;
	/** Chunks done in the running epoch. */
	chunk: number;
	/** Optimizer steps taken. */
	step: number;
	/** Sum of the mean losses of the running epoch's steps, each times its rows. */
	lossSum: number;
	best: { epoch: number; score: number } | null;
	/** Epochs since the best one. */
	badEpochs: number;
	plateau: PlateauState;
};

/** Where a chunk begins. */
export type FitPlace = Pick<FitState, 'epoch' | 'chunk' | 'step'>;

export type FitProgress = {
	epoch: number;
	epochs: number;
	step: number;
	steps: number;
	loss: number;
	rowsPerSecond: number;
	fraction: number;
};
export type FitEpoch = { epoch: number; trainLoss: number; validation: Metrics; learningRate: number; best: boolean };

export type FitOptions = {
	architecture: Architecture;
	training: TrainingConfig;
	task: TaskProfile;
	loss: LossName;
	scale: TargetScale;
	standardisation: ReadonlyMap<string, Standardisation>;
	train: Examples;
	/** Weight of each modality of each training example, `[N, M]`; asked at the start of every chunk. */
	weights: () => Float32Array;
	/** Distinguishes the random numbers of the models of one job. */
	stream: number;
	/** How the gradients of encoders are modulated; null where they are not. */
	modulation: Modulation | null;
	provider: Provider;
	/** Where to go on from. */
	resume: { state: FitState; tensors: ReadonlyMap<string, Tensor> } | null;
	/** Called before every chunk. */
	beforeChunk: (place: FitPlace, parameters: () => Parameters) => Promise<void>;
	/** Most steps of a chunk; as many as are quick unless given. */
	mostSteps?: number;
	/** The metrics of an epoch's model on validation: those that are told of it, and those by which the best epoch is chosen. */
	validate: (parameters: Parameters) => Promise<{ told: Metrics; chosenBy: Metrics }>;
	/** Whether the running epoch's model may be chosen as the best, and its score counted for early stopping and the schedule. */
	eligible: () => boolean;
	onProgress: (progress: FitProgress) => void;
	onEpoch: (epoch: FitEpoch) => void;
	/** Called after every chunk; may keep the state, and tells whether to stop. */
	afterChunk: (state: FitState, tensors: () => Map<string, Tensor>) => Promise<'go on' | 'stop'>;
};

export type FitOutcome = { status: 'done'; parameters: Parameters; bestEpoch: number; epochs: number } | { status: 'stopped' };

/** The state that begins with these values, by group. */
function initialState(layout: readonly ParameterGroup[], values: ReadonlyMap<string, ArrayLike<number>>): Record<string, Tensor> {
	return Object.fromEntries(
		layout.map(({ name, size, members }) => {
			const vector = new Float32Array(size);
			let offset = 0;
			for (const member of members) {
				const value = values.get(member.name) as ArrayLike<number>;
				vector.set(value, offset);
				offset += value.length;
			}
			return [`state/${name}`, { dtype: 'float32', shape: [1, size], data: vector } satisfies Tensor];
		}),
	);
}

/** The examples of `steps` batches, the last one filled up with its own examples in turn. */
function repeated(chosen: Uint32Array, rows: number, batch: number): Uint32Array {
	const start = Math.floor(chosen.length / batch) * batch;
	const own = chosen.length - start;
	return Uint32Array.from({ length: rows }, (_, i) => (i < chosen.length ? chosen[i] : chosen[start + ((i - start) % own)]) as number);
}

/** Writes chunks of batches into buffers that are used again and again. */
function batcher(options: FitOptions, batch: number, mostSteps: number) {
	const { architecture, train, task, scale } = options;
	const { modalities, masks, outputs, padding } = architecture;
	const rows = mostSteps * batch;
	const buffers = new Map<string, Float32Array>();
	const bufferOf = (name: string, width: number): Float32Array => {
		const known = buffers.get(name);
		if (known !== undefined) return known;
		const fresh = new Float32Array(rows * width);
		buffers.set(name, fresh);
		return fresh;
	};
	/** Inputs for `steps` steps over the examples `chosen`; the last batch is filled up with rows of sample weight 0. */
	return (real: Uint32Array, steps: number, place: ChunkPlace): Record<string, Tensor> => {
		const chosen = padding === 'repeat' ? repeated(real, steps * batch, batch) : real;
		const inputs: Record<string, Tensor> = {};
		const put = (name: string, shape: readonly number[], fill: (buffer: Float32Array) => void): void => {
			const width = sizeOf(shape);
			const data = bufferOf(name, width).subarray(0, steps * batch * width);
			data.fill(0, chosen.length * width);
			fill(data);
			inputs[`chunk/${name}`] = { dtype: 'float32', shape: [steps, batch, ...shape], data };
		};
		const splitRows = chosen.map((i) => train.rows[i] as number);
		const weights = options.weights();
		const own = new Float32Array(chosen.length * modalities.length);
		chosen.forEach((i, row) => own.set(weights.subarray(i * modalities.length, (i + 1) * modalities.length), row * modalities.length));
		dropModalities(own, modalities.length, options.training.modality_dropout ?? 0, batch, place);
		modalities.forEach((modality, m) => {
			put(`x.${modality.name}`, modality.shape, (data) => train.split.gather(modality.name, splitRows, data));
			const kind = masks.get(modality.name);
			if (kind !== undefined)
				put(`mask.${modality.name}`, [maskWidth(modality, kind)], (data) => fillMask(train, modality, kind, chosen, data));
			put(`w.${modality.name}`, [1], (data) => {
				for (let i = 0; i < chosen.length; i++) data[i] = own[i * modalities.length + m] as number;
			});
		});
		put('target', [outputs], (data) => {
			data.fill(0);
			fillTargets(train, chosen, task, scale, data, 0);
		});
		put('sample_weight', [1], (data) => {
			data.fill(0);
			for (let i = 0; i < real.length; i++) data[i] = 1 / Math.min(batch, real.length - Math.floor(i / batch) * batch);
		});
		return inputs;
	};
}

/** Trains one model to its best epoch by the validation score. Bit-identical for the same options, also across a stop and a resume. Throws ProblemError `diverged`. */
export async function fit(options: FitOptions): Promise<FitOutcome> {
	const { architecture, training, train, resume } = options;
	const { epochs, seed, schedule, early_stopping: stopping } = training;
	const count = train.rows.length;
	const batch = architecture.fixedBatch ?? Math.min(training.batch_size, count);
	const perEpoch = Math.ceil(count / batch);
	const steps = epochs * perEpoch;
	const { weight_decay, learning_rate, ...rest } = training.optimizer;
	const optimizer = optimizerOf({ ...rest, weightDecay: weight_decay });
	const program = await compileTrainProgram({ ...options, batch, optimizer, clipNorm: training.clip_norm, recompute: training.recompute });
	const perChunk = chunkSteps({
		work: program.work,
		batch,
		perEpoch,
		most: Math.min(optimizer.maxChunk, options.mostSteps ?? optimizer.maxChunk),
		modalities: architecture.modalities,
	});
	const fill = batcher(options, batch, perChunk);

	const groups = [...program.layout, ...program.running];
	const initial: Record<string, Tensor> = initialState(groups, architecture.initial(seed, options.stream));
	for (const { name, size } of program.layout)
		for (const slot of optimizer.slots) initial[`state/${name}/${slot}`] = tensor('float32', [1, size], new Float32Array(size));
	const saved = (prefix: string): Array<[string, Tensor]> => [...(resume?.tensors ?? [])].filter(([name]) => name.startsWith(prefix));
	const loaded = await loadProgram(
		program.model,
		{ ...initial, ...Object.fromEntries(saved('state/')) },
		{ provider: options.provider, threads: training.threads },
	);
	const parameters = (): Parameters =>
		Object.fromEntries(groups.map(({ name }) => [`state/${name}`, loaded.state()[`state/${name}`] as Tensor]));
	let best: Parameters =
		resume === null ? parameters() : Object.fromEntries(saved('best/').map(([name, value]) => [name.replace(/^best\//, ''), value]));

	const state: FitState = resume?.state ?? { epoch: 0, chunk: 0, step: 0, lossSum: 0, best: null, badEpochs: 0, plateau: initialPlateau };
	const tensors = (): Map<string, Tensor> =>
		new Map([...Object.entries(loaded.state()), ...Object.entries(best).map(([name, value]): [string, Tensor] => [`best/${name}`, value])]);

	let pool: { number: number; drawn: Tensor } | null = null;
	const runChunk = async (order: Uint32Array): Promise<void> => {
		const first = state.chunk * perChunk;
		const length = Math.min(perChunk, perEpoch - first);
		const chosen = order.subarray(first * batch, Math.min(count, (first + length) * batch));
		const place = { seed, stream: options.stream, step: state.step };
		const inputs = fill(chosen, length, place);
		if (program.sites.length > 0) {
			if (pool?.number !== poolOf(state.step)) pool = { number: poolOf(state.step), drawn: drawPool(place) };
			inputs['dropout/pool'] = pool.drawn;
		}
		drawRows(place, length, program.sites).forEach((rows, site) => {
			inputs[`chunk/dropout.${site}`] = rows;
		});
		const places = Array.from({ length }, (_, j) => {
			const step = state.step + j + 1;
			return optimizer.scalarsAt({
				step,
				inChunk: j + 1,
				learningRate: learningRateAt(schedule, { base: learning_rate, step, steps, plateau: state.plateau }),
			});
		});
		for (const name of program.scalars)
			inputs[`chunk/${name}`] = tensor(
				'float32',
				name === 'lossScale' ? [length] : [length, 1, 1],
				places.map((place) => place[name] as number),
			);
		for (const [slot, factor] of Object.entries(optimizer.afterChunk(length)))
			inputs[`after/${slot}`] = tensor('float32', [1, 1], [factor]);
		const outputs = await loaded.run(inputs);
		const losses = (outputs['loss'] as Tensor).data as Float32Array;
		losses.forEach((loss, j) => {
			if (!Number.isFinite(loss))
				throw new ProblemError(
					'diverged',
					`the training loss of step ${state.step + j} (epoch ${state.epoch}) is ${loss}; a smaller training.optimizer.learning_rate or a training.clip_norm may help`,
					'training.optimizer.learning_rate',
				);
			state.lossSum += loss * Math.min(batch, chosen.length - j * batch);
		});
		state.step += length;
		state.chunk++;
	};

	const score = async (): Promise<void> => {
		const { told: validation, chosenBy } = await options.validate(parameters());
		const metric = stopping?.metric ?? 'loss';
		const value = chosenBy[metric] ?? null;
		const eligible = options.eligible();
		const better =
			eligible && value !== null && (state.best === null || (higherIsBetter(metric) ? value > state.best.score : value < state.best.score));
		if (better) {
			state.best = { epoch: state.epoch, score: value };
			best = parameters();
		}
		const learningRate = learningRateAt(schedule, { base: learning_rate, step: state.step, steps, plateau: state.plateau });
		if (eligible) {
			state.badEpochs = better ? 0 : state.badEpochs + 1;
			const loss = chosenBy['loss'];
			if (typeof loss === 'number') state.plateau = plateauAfter(schedule, state.plateau, loss);
		}
		options.onEpoch({ epoch: state.epoch, trainLoss: state.lossSum / count, validation, learningRate, best: better });
		Object.assign(state, { epoch: state.epoch + 1, chunk: 0, lossSum: 0 });
	};

	try {
		const finished = (): boolean => state.epoch >= epochs || (stopping !== null && state.badEpochs >= stopping.patience);
		while (!finished()) {
			const order = shuffledOrder(seed, state.epoch, count);
			while (state.chunk * perChunk < perEpoch) {
				const started = performance.now();
				const before = state.step;
				await options.beforeChunk(state, parameters);
				await runChunk(order);
				const rows = Math.min(count, state.chunk * perChunk * batch);
				options.onProgress({
					epoch: state.epoch,
					epochs,
					step: state.step,
					steps,
					loss: state.lossSum / rows,
					rowsPerSecond: ((state.step - before) * batch * 1000) / (performance.now() - started),
					fraction: state.step / steps,
				});
				if (state.chunk * perChunk >= perEpoch) await score();
				if ((await options.afterChunk(structuredClone(state), tensors)) === 'stop') return { status: 'stopped' };
				if (state.chunk === 0) break;
			}
		}
		return {
			status: 'done',
			parameters: state.best === null ? parameters() : best,
			bestEpoch: state.best?.epoch ?? state.epoch - 1,
			epochs: state.epoch,
		};
	} finally {
		await loaded.dispose();
	}
}
