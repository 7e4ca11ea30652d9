import { type Examples, labelsOf, presence } from '../model/examples.js';
import { diagnose } from '../report/diagnostics.js';
import { evaluationFigures } from '../report/evaluation-figures.js';
import { explain } from '../report/explanation.js';
import type { Evaluation } from './evaluate.js';
import type { Job } from './job.js';
import { metricOf } from './metric-of.js';
import type { JudgedUnimodal } from './unimodal-stage.js';

/** Some examples and what the exported model made of them. */
export type Judged = { readonly examples: Examples; readonly evaluation: Evaluation };

/**
 * The artifacts that explain a job, by name: `explanation.parquet` and `explanation.json`, `diagnostics.json` where there are two or more modalities and positions have no
 * labels of their own, and `evaluation.json` where the model gives predictions of rows.
 */
export function explanationArtifacts(
	{ task, loss, spec, modalities, state }: Job,
	evaluations: readonly Judged[],
	unimodal: JudgedUnimodal | null,
	reported: string,
): Record<string, Uint8Array | string> {
	const names = modalities.map(({ name }) => name);
	const splits = evaluations.map(({ examples, evaluation }) => ({
		...evaluation,
		name: examples.name,
		file: examples.split.name,
		rows: examples.rows,
		present: modalities.map((modality) => presence(examples, modality)),
		labels: evaluation.predictions === null ? new Float64Array(0) : labelsOf(examples),
	}));
	const { parquet, json } = explain({ task, modalities: names, splits, refreshes: state.header.weights, reported });
	const metric = metricOf(spec);
	const diagnosed = splits.flatMap(({ predictions, ...split }) =>
		predictions === null || unimodal?.failed.has(split.name) === true
			? []
			: [{ ...split, fused: predictions, outputs: unimodal?.outputs.get(split.name) ?? [] }],
	);
	const diagnostics =
		names.length < 2 || task.positions !== undefined
			? null
			: diagnose({ task, loss, modalities: names, unimodal: unimodal?.metrics ?? null, metric, splits: diagnosed });
	const predicted = splits.flatMap((split) => (split.predictions === null ? [] : [{ ...split, predictions: split.predictions }]));
	const evaluation = predicted.length === 0 ? null : evaluationFigures(task, names, predicted);
	return {
		'explanation.parquet': parquet,
		'explanation.json': `${JSON.stringify(json)}\n`,
		...(diagnostics === null ? {} : { 'diagnostics.json': `${JSON.stringify(diagnostics, null, '\t')}\n` }),
		...(evaluation === null ? {} : { 'evaluation.json': `${JSON.stringify(evaluation)}\n` }),
	};
}
