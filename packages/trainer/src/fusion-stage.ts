import { adaptSmoothing, smooth, summariseWeights } from '@steelyard/weighting';
import type { Parameters } from './architecture.js';
import { type Examples, labelsOf, presence } from './examples.js';
import type { FitOutcome } from './fit.js';
import type { Job } from './job.js';
import { plainStatistics, statisticsFrom } from './job-state.js';
import { metricsOf } from './metrics.js';
import { predictionsFrom } from './predictions.js';
import type { JudgedUnimodal } from './unimodal-stage.js';
import { evenWeights, refresh, type WeigherExamples, weigh } from './weigher.js';

/** Trains the fusion model on weighted embeddings, refreshing the weights on schedule and validating along the one path. */
export async function trainFusion(job: Job, judged: JudgedUnimodal | null): Promise<FitOutcome> {
	const { state, task, config, modalities, train, validation, weighted, emit } = job;
	const { header, kept } = state;
	emit({ type: 'stage', stage: 'fusion' });
	const predictor = await job.predictorOf(job.fusion);
	const presenceIn = (examples: Examples) => modalities.map((modality) => presence(examples, modality));
	const under = async (examples: Examples, parameters: Parameters): Promise<WeigherExamples> => ({
		count: examples.rows.length,
		unimodal: judged?.outputs.get(examples.name) ?? [],
		present: presenceIn(examples),
		labels: labelsOf(examples),
		fused: await predictor.encode(examples, parameters),
	});
	const shape = { rows: train.rows.length, modalities: modalities.length };
	let statistics = header.statistics === null ? null : statisticsFrom(header.statistics);
	let table = (kept.get('table/weights')?.data as Float32Array | undefined) ?? evenWeights(shape.rows, presenceIn(train));

	const byName = (value: (m: number) => number): Record<string, number> =>
		Object.fromEntries(modalities.map(({ name }, m) => [name, value(m)]));
	const refreshWeights = async (epoch: number, parameters: Parameters): Promise<void> => {
		if (!weighted || epoch === 0 || epoch % config.refreshEpochs !== 0) return;
		const began = performance.now();
		const fresh = await refresh(config, task, await under(train, parameters), job.spec.training.seed);
		if (header.lastLoss !== null)
			header.smoothing = adaptSmoothing(header.smoothing, header.lossAtRefresh, header.lastLoss, config.smoothing);
		header.lossAtRefresh = header.lastLoss;
		table = smooth(table, fresh.weights, header.smoothing);
		kept.set('table/weights', { dtype: 'float32', shape: [shape.rows, shape.modalities], data: table });
		statistics = fresh.statistics;
		header.statistics = plainStatistics(statistics);
		const { mi } = statistics;
		const summary = summariseWeights(table, shape, presenceIn(train));
		const told = {
			epoch,
			modality_weights: byName((m) => summary[m]?.mean ?? 0),
			mutual_information: mi && byName((m) => mi[m] as number),
			smoothing: header.smoothing,
			seconds: (performance.now() - began) / 1000,
		};
		header.weights.push(told);
		emit({ type: 'weights', ...told });
	};

	return job
		.fitModel(
			{ name: 'fusion', stage: 'fusion', index: weighted ? modalities.length : 0 },
			{
				architecture: job.fusion,
				train,
				weights: () => table,
				beforeEpoch: refreshWeights,
				// a model that never saw its weights is not the one to export with them
				eligible: () => !weighted || statistics !== null,
				async validate(parameters) {
					const { fused } = await weigh(config, task, await under(validation, parameters), statistics);
					const metrics = metricsOf(task, predictionsFrom(task, fused), labelsOf(validation));
					header.lastLoss = metrics['loss'] ?? null;
					return metrics;
				},
			},
		)
		.finally(() => predictor.dispose());
}
