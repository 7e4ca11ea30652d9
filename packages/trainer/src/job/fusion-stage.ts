import { adaptSmoothing, smooth, summariseWeights, uniformWeights } from '@steelyard/weighting';
import type { Parameters } from '../model/architecture.js';
import { type Examples, labelsOf, presence, taken, takenRows } from '../model/examples.js';
import { metricsOf } from '../report/metrics.js';
import { predictionsFrom } from '../report/predictions.js';
import type { Chunk } from '../step/chunk.js';
import type { JudgedExamples, Refreshes } from '../weighting/weigher.js';
import { chosenModel } from './chosen-model.js';
import { addWeights } from './curve.js';
import { type FitOutcome, fitModel } from './fit-model.js';
import type { Job } from './job.js';
import { judgeGraph } from './judge-graph.js';
import type { TrainingEnd } from './keep-training-state.js';
import { overRows } from './over-rows.js';
import type { JudgedUnimodal } from './unimodal-stage.js';

/** Where the refreshes stand. */
type RefreshState = { refreshes: number; lastRefresh: number; improved: boolean };

/** Of a graph that gives a loss and no logits, and of positions. */
const NO_NUMBERS = new Float32Array(0);

/** Whether the training weights are to be made anew before a chunk. */
function isDue(refreshes: Refreshes, { epoch, index, step }: Chunk, state: RefreshState): boolean {
	switch (refreshes.when) {
		case 'never':
			return false;
		case 'once':
			return state.refreshes === 0;
		case 'epochs':
			return index === 0 && epoch > 0 && epoch % refreshes.every === 0;
		case 'steps':
			return step - state.lastRefresh >= refreshes.every;
		case 'improvement':
			return index === 0 && state.improved;
	}
}

/** Trains the fusion model on weighted embeddings, refreshing the weights on schedule and validating along the one path; `keep` is given what it ends with. */
export async function trainFusion(job: Job, judged: JudgedUnimodal | null, keep: (end: TrainingEnd) => Promise<void>): Promise<FitOutcome> {
	const { state, task, weigher, modalities, train, validation, weighted, emit } = job;
	const { header } = state;
	emit({ type: 'stage', stage: 'fusion' });
	const predictor = await job.predictorOf(job.fusion);
	const presenceIn = (examples: Examples) => modalities.map((modality) => presence(examples, modality));
	const judgedBy = async (examples: Examples, unimodal: readonly Float32Array[], parameters: Parameters): Promise<JudgedExamples> => {
		let encoded: ReturnType<typeof predictor.encode> | null = null; // not every method looks at it
		const fused = async (weights: Float32Array, places: Uint32Array): Promise<Float32Array> => {
			if (places.length < examples.rows.length)
				return (await predictor.encode(taken(examples, places), parameters))(takenRows(weights, modalities.length, places));
			encoded ??= predictor.encode(examples, parameters);
			return (await encoded)(weights);
		};
		return {
			count: examples.rows.length,
			unimodal,
			present: presenceIn(examples),
			labels: labelsOf(examples),
			fused: (weights) =>
				overRows(
					examples,
					(places) => fused(weights, places),
					(output) => output,
					{ counted: null, mayDiverge: true },
				),
		};
	};
	const shape = { rows: train.rows.length, modalities: modalities.length };
	let table = (state.weights?.data as Float32Array | undefined) ?? uniformWeights(shape.rows, presenceIn(train));

	const byName = <T>(value: (m: number) => T): Record<string, T> => Object.fromEntries(modalities.map(({ name }, m) => [name, value(m)]));
	const refreshWeights = async (chunk: Chunk, parameters: () => Promise<Parameters>): Promise<void> => {
		if (!isDue(weigher.refreshes, chunk, header)) return;
		const began = performance.now();
		const fresh = await weigher.refresh(await judgedBy(train, judged?.training ?? [], await parameters()));
		if (header.lastLoss !== null)
			header.smoothing = adaptSmoothing(header.smoothing, header.lossAtRefresh, header.lastLoss, weigher.smoothing);
		header.lossAtRefresh = header.lastLoss;
		Object.assign(header, { refreshes: header.refreshes + 1, lastRefresh: chunk.step, improved: false });
		table = smooth(table, fresh.weights, header.smoothing);
		state.weights = { dtype: 'float32', shape: [shape.rows, shape.modalities], data: table };
		header.statistics = fresh.statistics;
		const information = weigher.information(fresh.statistics);
		const summary = summariseWeights(fresh.reported ?? table, shape, presenceIn(train));
		const weights = {
			epoch: chunk.epoch,
			modality_weights: byName((m) => summary[m]?.mean ?? 0),
			spread: byName((m) => ({ p10: summary[m]?.p10 ?? 0, p90: summary[m]?.p90 ?? 0 })),
			mutual_information: information && byName((m) => information[m] as number),
			smoothing: header.smoothing,
			seconds: (performance.now() - began) / 1000,
		};
		addWeights(header.weights, weights, header.refreshes);
		emit({ type: 'weights', ...weights });
		job.measured({ of: 'refresh', seconds: weights.seconds });
	};

	const place = { name: 'fusion', stage: 'fusion', index: weigher.models * modalities.length } as const;
	return fitModel(job, place, {
		architecture: job.fusion,
		train,
		weights: () => table,
		mostSteps: weigher.refreshes.when === 'steps' ? weigher.refreshes.every : null,
		beforeChunk: refreshWeights,
		// a model that never saw its weights is not the one to export with them
		eligible: () => !weighted || header.refreshes > 0,
		keepsPassedOver: weigher.guard,
		ended: (outcome, last) => keep({ ...last, best: chosenModel(job, outcome).parameters }),
		async validate(parameters) {
			const { visit } = predictor;
			if (visit !== null && !weighted) {
				const weights = uniformWeights(validation.rows.length, presenceIn(validation));
				const judge = (part: Examples, places: Uint32Array) =>
					judgeGraph(job, job.fusion, part, (each) => visit(part, parameters, takenRows(weights, modalities.length, places), each));
				const { metrics } = await overRows(
					validation,
					(places) => judge(taken(validation, places), places),
					({ logits }) => logits ?? NO_NUMBERS,
					{ counted: null, mayDiverge: true },
				);
				return { reported: metrics, chosenBy: metrics };
			}
			const examples = await judgedBy(validation, judged?.outputs.get(validation.name) ?? [], parameters);
			const { output, own = output } = await weigher.weigh(examples, header.refreshes > 0 ? header.statistics : null);
			const metricsOfOutput = (one: Float32Array) => metricsOf(task, predictionsFrom(task, one), labelsOf(validation), job.loss);
			const chosenBy = metricsOfOutput(own);
			const loss = chosenBy['loss'] ?? null;
			header.lastLoss = loss;
			if (loss !== null && (header.lowestLoss === null || loss < header.lowestLoss)) {
				header.lowestLoss = loss;
				header.improved = true;
			}
			return { reported: own === output ? chosenBy : metricsOfOutput(output), chosenBy };
		},
	}).finally(() => predictor.dispose());
}
