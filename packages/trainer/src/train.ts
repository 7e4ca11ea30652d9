import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobCurves, JobResult, JobSpec, JobStage, Metrics } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/mlp-fusion';
import { createSession, type Provider, sizeOf, type Tensor } from '@steelyard/runtime';
import { adaptSmoothing, smooth, summariseWeights, usesDivergence } from '@steelyard/weighting';
import { type Architecture, parametersOf } from './architecture.js';
import { latestCheckpoint, saveCheckpoint } from './checkpoint.js';
import { evaluateModel } from './evaluate.js';
import { type Examples, labelsOf, presence } from './examples.js';
import { exportModel, type TrainedModel } from './export-graph.js';
import type { TrainOptions, TrainOutcome } from './face.js';
import { fit, type FitOptions, type FitOutcome, type FitState } from './fit.js';
import { metricsOf } from './metrics.js';
import { layOut, parametersFrom } from './parameter-layout.js';
import type { Parameters } from './predict-program.js';
import { createPredictor, type Predictor, predictionsFrom } from './predictor.js';
import { deviceFor, type Prepared, prepare } from './prepare.js';
import { evenWeights, refresh, weigh, type WeigherExamples, type WeightingStatistics } from './weigher.js';

export const VERSION = '0.1.0';

/** Least time between two checkpoints, beside those at the end of a model and at a stop. */
const CHECKPOINT_INTERVAL_MS = 10_000;

/** Everything of a job, beside tensors, that a checkpoint keeps. */
type Header = {
	/** Of the spec and dataset that it belongs to. */
	key: string;
	/** Unimodal models done; equal to the number of modalities while the fusion model trains. */
	modelsDone: number;
	fit: FitState | null;
	epochs: JobCurves['epochs'];
	weights: JobCurves['weights'];
	smoothing: number;
	/** Validation loss of the last epoch, and at the last refresh. */
	lastLoss: number | null;
	lossAtRefresh: number | null;
	statistics: { mi: number[] | null; min: number[]; max: number[]; sigma: WeightingStatistics['sigma'] } | null;
	/** Those under which the best epoch was validated: the export carries them, so that what was chosen is what is downloaded. */
	bestStatistics: Header['statistics'];
};

const NO_STATISTICS: WeightingStatistics = { mi: null, min: new Float64Array(0), max: new Float64Array(0), sigma: null };
const toJson = (s: WeightingStatistics): NonNullable<Header['statistics']> => ({
	mi: s.mi && [...s.mi],
	min: [...s.min],
	max: [...s.max],
	sigma: s.sigma,
});
const fromJson = (s: NonNullable<Header['statistics']>): WeightingStatistics => ({
	mi: s.mi && Float64Array.from(s.mi),
	min: Float64Array.from(s.min),
	max: Float64Array.from(s.max),
	sigma: s.sigma,
});

/** The part of a spec that results depend on. */
const essence = ({ model, modalities, weighting, training }: JobSpec) => ({
	model,
	...(modalities === undefined ? {} : { modalities }),
	weighting,
	training,
});

/** Trains one job from its spec to its artifacts; see TrainOptions. Throws ProblemError for what the user can mend, and what the packages below throw. */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
	const started = performance.now();
	options.emit({ type: 'stage', stage: 'preparing' });
	const { provider, note } = await deviceFor(options.spec.device);
	options.emit({ type: 'device', provider, note });
	const prepared = prepare(options.spec, options.dataset);
	try {
		const job = await openJob(options, prepared, provider);
		const trained = await job.trainModels();
		if (trained === null) return { status: 'stopped' };
		return await finish(options, prepared, trained, { provider, note, started });
	} finally {
		prepared.dataset.close();
	}
}

type Trained = {
	fusion: TrainedModel;
	unimodal: TrainedModel[];
	unimodalMetrics: JobResult['unimodal'];
	statistics: WeightingStatistics;
	bestEpoch: number;
	epochs: number;
	curves: JobCurves;
};

/** The training part of a job: unimodal models where the weighting asks for them, then the fusion model. */
async function openJob({ spec, output, earlier = [], emit, stopped }: TrainOptions, prepared: Prepared, provider: Provider) {
	const { task, modalities, train: training, validation, config, standardisation, scale, loss } = prepared;
	const { threads, seed } = spec.training;
	const weighted = config.combine !== 'none';
	const key = createHash('sha256')
		.update(JSON.stringify([essence(spec), prepared.dataset.profile.sha256, provider, VERSION]))
		.digest('hex');
	const found = await latestCheckpoint<Header>([output, ...earlier]);
	const resumed = found?.header.key === key ? found : null;
	const header: Header = resumed?.header ?? {
		key,
		modelsDone: 0,
		fit: null,
		epochs: [],
		weights: [],
		smoothing: config.smoothing.initial,
		lastLoss: null,
		lossAtRefresh: null,
		statistics: null,
		bestStatistics: null,
	};
	/** Tensors beside those of the running fit: parameters of the unimodal models, the table of weights. */
	const kept = new Map<string, Tensor>([...(resumed?.tensors ?? [])].filter(([name]) => /^(unimodal|table)\//.test(name)));

	const architectureOf = (chosen: readonly ModalityShape[]): Architecture => ({
		config: spec.model,
		modalities: chosen,
		outputs: task.outputs,
	});
	const fusion = architectureOf(modalities);
	const unimodal = modalities.map((modality) => architectureOf([modality]));
	const costs = [...(weighted ? unimodal : []), fusion].map((a) => parametersOf(a).reduce((sum, { shape }) => sum + sizeOf(shape), 0));
	const share = (model: number, fraction: number): number =>
		(costs.slice(0, model).reduce((a, b) => a + b, 0) + (costs[model] as number) * fraction) / costs.reduce((a, b) => a + b, 0);

	let savedAt = performance.now();
	let attemptStart: { at: number; progress: number } | null = null;
	const save = async (fitState: FitState | null, tensors: ReadonlyMap<string, Tensor>): Promise<void> => {
		header.fit = fitState;
		await saveCheckpoint(output, { header, tensors: new Map([...kept, ...tensors]) });
		savedAt = performance.now();
	};

	/** Trains one of the models, going on from the checkpoint if it was this one that ran. */
	const fitModel = (
		model: string,
		stage: JobStage,
		index: number,
		more: Pick<FitOptions, 'architecture' | 'train' | 'weights' | 'beforeEpoch' | 'validate' | 'eligible'>,
	): Promise<FitOutcome> =>
		fit({
			...more,
			training: spec.training,
			task,
			loss,
			scale,
			standardisation,
			provider,
			stream: index,
			resume:
				resumed !== null && resumed.header.fit !== null && header.modelsDone === index
					? { state: resumed.header.fit, tensors: resumed.tensors }
					: null,
			onProgress: ({ rowsPerSecond, fraction, ...rest }) => {
				const progress = 0.97 * share(index, fraction);
				attemptStart ??= { at: performance.now(), progress };
				const done = progress - attemptStart.progress;
				const eta = done > 0 ? (((performance.now() - attemptStart.at) / 1000) * (1 - progress)) / done : null;
				emit({ type: 'progress', stage, model, progress, ...rest, rows_per_second: rowsPerSecond, eta_seconds: eta });
			},
			onEpoch: ({ trainLoss, learningRate, ...rest }) => {
				const epoch = { stage, model, ...rest, train_loss: trainLoss, learning_rate: learningRate };
				header.epochs.push(epoch);
				if (stage === 'fusion' && rest.best) header.bestStatistics = header.statistics;
				emit({ type: 'epoch', ...epoch });
			},
			afterChunk: async (state, tensors) => {
				const stop = stopped();
				if (stop || performance.now() - savedAt > CHECKPOINT_INTERVAL_MS) await save(state, tensors());
				return stop ? 'stop' : 'go on';
			},
		});

	const unimodalParameters = (m: number): Parameters => {
		const prefix = `unimodal/${(modalities[m] as ModalityShape).name}/`;
		return Object.fromEntries(
			[...kept].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
		);
	};
	const predictorFor = (architecture: Architecture): Promise<Predictor> =>
		createPredictor(architecture, { standardisation, scale, provider, threads });
	const ones = (count: number): Float32Array => new Float32Array(count).fill(1);
	/** Examples that have the modality. */
	const withModality = (examples: Examples, modality: ModalityShape): Examples => {
		const there = presence(examples, modality);
		return there === null ? examples : { ...examples, rows: examples.rows.filter((_, i) => there[i] === 1) };
	};

	/** Trains what is not trained yet of the unimodal models; false when stopped. */
	const trainUnimodal = async (): Promise<boolean> => {
		for (let m = header.modelsDone; m < modalities.length; m++) {
			const modality = modalities[m] as ModalityShape;
			const architecture = unimodal[m] as Architecture;
			const [own, ownValidation] = [withModality(training, modality), withModality(validation, modality)];
			const predictor = await predictorFor(architecture);
			const weights = ones(own.rows.length);
			const outcome = await fitModel(modality.name, 'unimodal', m, {
				architecture,
				train: own,
				weights: () => weights,
				beforeEpoch: async () => {},
				eligible: () => true,
				validate: async (parameters) => {
					const outputs = await (await predictor.encode(ownValidation, parameters))(ones(ownValidation.rows.length));
					return metricsOf(task, predictionsFrom(task, outputs), labelsOf(ownValidation));
				},
			}).finally(() => predictor.dispose());
			if (outcome.status === 'stopped') return false;
			for (const [name, value] of Object.entries(outcome.parameters)) kept.set(`unimodal/${modality.name}/${name}`, value);
			header.modelsDone = m + 1;
			await save(null, new Map());
		}
		return true;
	};

	/** Outputs of the frozen unimodal models for every set of examples, and their metrics over the rows that have the modality. */
	const judgeUnimodal = async () => {
		const outputs = new Map<string, Float32Array[]>();
		const metrics: JobResult['unimodal'] = {};
		const sets = [training, validation, ...prepared.others];
		for (const examples of sets) outputs.set(examples.name, []);
		for (const [m, modality] of modalities.entries()) {
			const predictor = await predictorFor(unimodal[m] as Architecture);
			const bySplit: Record<string, Metrics> = {};
			for (const examples of sets) {
				const all = await (await predictor.encode(examples, unimodalParameters(m)))(ones(examples.rows.length));
				(outputs.get(examples.name) as Float32Array[]).push(all);
				const there = presence(examples, modality);
				const judged = all.filter((_, i) => there?.[Math.floor(i / task.outputs)] !== 0);
				const labels = labelsOf(examples).filter((_, i) => there?.[i] !== 0);
				if (labels.length > 0) bySplit[examples.name] = metricsOf(task, predictionsFrom(task, judged), labels);
			}
			metrics[modality.name] = bySplit;
			await predictor.dispose();
		}
		return { outputs, metrics };
	};

	const trainModels = async (): Promise<Trained | null> => {
		if (weighted && header.modelsDone < modalities.length) emit({ type: 'stage', stage: 'unimodal' });
		if (weighted && !(await trainUnimodal())) return null;
		const judged = weighted ? await judgeUnimodal() : null;
		emit({ type: 'stage', stage: 'fusion' });
		const predictor = await predictorFor(fusion);
		try {
			const presenceIn = (examples: Examples) => modalities.map((modality) => presence(examples, modality));
			const under = async (examples: Examples, parameters: Parameters): Promise<WeigherExamples> => ({
				count: examples.rows.length,
				unimodal: judged?.outputs.get(examples.name) ?? [],
				present: presenceIn(examples),
				labels: labelsOf(examples),
				fused: await predictor.encode(examples, parameters),
			});
			let statistics = header.statistics === null ? null : fromJson(header.statistics);
			const tableShape = [training.rows.length, modalities.length];
			let table = (kept.get('table/weights')?.data as Float32Array | undefined) ?? evenWeights(training.rows.length, presenceIn(training));

			const refreshWeights = async (epoch: number, parameters: Parameters): Promise<void> => {
				if (!weighted || epoch === 0 || epoch % config.refreshEpochs !== 0) return;
				const began = performance.now();
				const fresh = await refresh(config, task, await under(training, parameters), seed);
				if (header.lastLoss !== null)
					header.smoothing = adaptSmoothing(header.smoothing, header.lossAtRefresh, header.lastLoss, config.smoothing);
				header.lossAtRefresh = header.lastLoss;
				table = smooth(table, fresh.weights, header.smoothing);
				statistics = fresh.statistics;
				header.statistics = toJson(statistics);
				kept.set('table/weights', { dtype: 'float32', shape: tableShape, data: table });
				const summary = summariseWeights(table, { rows: training.rows.length, modalities: modalities.length }, presenceIn(training));
				const byName = (value: (m: number) => number): Record<string, number> =>
					Object.fromEntries(modalities.map(({ name }, m) => [name, value(m)]));
				const event = {
					epoch,
					modality_weights: byName((m) => summary[m]?.mean ?? 0),
					mutual_information: fresh.statistics.mi === null ? null : byName((m) => fresh.statistics.mi?.[m] ?? 0),
					smoothing: header.smoothing,
					seconds: (performance.now() - began) / 1000,
				};
				header.weights.push(event);
				emit({ type: 'weights', ...event });
			};

			const outcome = await fitModel('fusion', 'fusion', weighted ? modalities.length : 0, {
				architecture: fusion,
				train: training,
				weights: () => table,
				beforeEpoch: refreshWeights,
				// a model that never saw its weights is not the one to export with them
				eligible: () => !weighted || statistics !== null,
				validate: async (parameters) => {
					const { fused } = await weigh(config, task, await under(validation, parameters), statistics);
					const metrics = metricsOf(task, predictionsFrom(task, fused), labelsOf(validation));
					header.lastLoss = metrics['loss'] ?? null;
					return metrics;
				},
			});
			if (outcome.status === 'stopped') return null;
			const modelOf = (architecture: Architecture, parameters: Parameters): TrainedModel => ({
				architecture,
				parameters: parametersFrom(
					layOut(parametersOf(architecture)),
					(group) => (parameters[`state/${group}`] as Tensor).data as Float32Array,
				),
			});
			return {
				fusion: modelOf(fusion, outcome.parameters),
				unimodal: usesDivergence(config) ? unimodal.map((architecture, m) => modelOf(architecture, unimodalParameters(m))) : [],
				unimodalMetrics: judged?.metrics ?? {},
				statistics: header.bestStatistics === null ? NO_STATISTICS : fromJson(header.bestStatistics),
				bestEpoch: outcome.bestEpoch,
				epochs: outcome.epochs,
				curves: { object: 'metrics', epochs: header.epochs, weights: header.weights },
			};
		} finally {
			await predictor.dispose();
		}
	};

	return { trainModels };
}

/** Exports the model, judges it by running the exported graph on every split, and writes the artifacts. */
async function finish(
	{ spec, output, emit }: TrainOptions,
	prepared: Prepared,
	trained: Trained,
	{ provider, note, started }: { provider: Provider; note: string | null; started: number },
): Promise<TrainOutcome> {
	const { task, modalities, train: training, validation, others, dataset } = prepared;
	emit({ type: 'stage', stage: 'evaluating' });
	const bytes = exportModel({
		...prepared,
		...trained,
		metadata: {
			'steelyard.version': VERSION,
			'steelyard.dataset_sha256': dataset.profile.sha256,
			'steelyard.modalities': JSON.stringify(modalities.map(({ name }) => name)),
			'steelyard.task': JSON.stringify(task),
			'steelyard.spec': JSON.stringify(essence(spec)),
		},
	});
	const session = await createSession(bytes, { threads: spec.training.threads });
	const metrics: JobResult['metrics'] = {};
	let weights: JobResult['modality_weights'] = {};
	const reported = others.find(({ name }) => name === 'test') ?? validation;
	try {
		for (const examples of [training, validation, ...others]) {
			const evaluation = await evaluateModel(session, examples, modalities, task);
			metrics[examples.name] = evaluation.metrics;
			if (examples !== reported) continue;
			const present = modalities.map((modality) => presence(examples, modality));
			const summary = summariseWeights(evaluation.weights, { rows: examples.rows.length, modalities: modalities.length }, present);
			weights = Object.fromEntries(
				modalities.map(({ name }, m) => [
					name,
					{ ...(summary[m] as (typeof summary)[number]), mutual_information: trained.statistics.mi?.[m] ?? null },
				]),
			);
		}
	} finally {
		await session.release();
	}
	emit({ type: 'stage', stage: 'exporting' });
	const parameters = [trained.fusion, ...trained.unimodal]
		.flatMap((model) => [...model.parameters.values()])
		.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
	const result: JobResult = {
		metrics,
		unimodal: trained.unimodalMetrics,
		modality_weights: weights,
		best_epoch: trained.bestEpoch,
		epochs: trained.epochs,
		parameters,
		seconds: (performance.now() - started) / 1000,
		device: provider,
		device_note: note,
	};
	const report = { version: VERSION, spec, dataset: dataset.profile, result };
	await writeFile(join(output, 'model.onnx'), bytes);
	await writeFile(join(output, 'report.json'), `${JSON.stringify(report, null, '\t')}\n`);
	await writeFile(join(output, 'metrics.json'), `${JSON.stringify(trained.curves)}\n`);
	return { status: 'done', result, artifacts: ['model.onnx', 'report.json', 'metrics.json'] };
}
