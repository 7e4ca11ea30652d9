import { createHash } from 'node:crypto';
import type { JobCurves, JobResult, Robustness } from '@steelyard/contracts';
import { labelsOf } from '../model/examples.js';
import { type CardFile, modelCard } from '../report/model-card.js';
import { explanationArtifacts, type Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import type { ResultParts } from './job-result.js';
import { mainMetricOf } from './metric-of.js';
import { VERSION } from './version.js';

/** Artifacts that hold no times, so that equal jobs give them the same bytes. */
const TIMELESS = [
	'model.onnx',
	'model-features.onnx',
	'graph.onnx',
	'adapters.safetensors',
	'explanation.parquet',
	'diagnostics.json',
	'evaluation.json',
	'robustness.json',
];

function cardFiles(artifacts: Readonly<Record<string, Uint8Array | string>>): CardFile[] {
	return TIMELESS.flatMap((name) => {
		const content = artifacts[name];
		if (content === undefined) return [];
		const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
		return [{ name, bytes, sha256: createHash('sha256').update(content).digest('hex') }];
	});
}

/** What a user who did not train the model should know of it, as Markdown. */
function cardOf(job: Job, result: JobResult, robustness: Robustness | null, reported: Judged, files: readonly CardFile[]): string {
	const { dataset, spec, task, train, validation, others, fusion, modalities } = job;
	return modelCard({
		version: VERSION,
		dataset: dataset.profile,
		grouped: train.split.groups !== null,
		spec,
		task,
		splits: [train, validation, ...others].map((examples) => ({
			name: examples.name,
			rows: examples.rows.length,
			labels: fusion.positions === null && task.positions === undefined ? labelsOf(examples) : null,
		})),
		modalities: modalities.map(({ name }) => name),
		result,
		robustness,
		metric: mainMetricOf(spec, reported.evaluation.metrics),
		reported: reported.examples.name,
		files,
	});
}

/** The files that a job ends with by name, but for the state that later jobs begin with. */
export function artifactsOf(
	job: Job,
	result: JobResult,
	{ file, splits: { judged, robustness }, ending: { unimodal }, reported, calibration }: ResultParts,
): Record<string, Uint8Array | string> {
	const { spec, dataset } = job;
	const { header } = job.state;
	const curves: JobCurves = { object: 'metrics', epochs: header.epochs, weights: header.weights };
	const artifacts: Record<string, Uint8Array | string> = {
		...(file.raw === null ? { 'model.onnx': file.bytes } : { 'model.onnx': file.raw, 'model-features.onnx': file.bytes }),
		...(file.ownGraph === null ? {} : { 'graph.onnx': file.ownGraph }),
		...(file.adapters === null ? {} : { 'adapters.safetensors': file.adapters }),
		'report.json': `${JSON.stringify({ version: VERSION, spec, dataset: dataset.profile, result }, null, '\t')}\n`,
		'metrics.json': `${JSON.stringify(curves)}\n`,
		...(calibration === null ? {} : { 'calibration.json': `${JSON.stringify(calibration)}\n` }),
		...explanationArtifacts(job, judged, unimodal, reported.examples.name),
		...(robustness === null ? {} : { 'robustness.json': `${JSON.stringify(robustness, null, '\t')}\n` }),
	};
	artifacts['report.md'] = cardOf(job, result, robustness, reported, cardFiles(artifacts));
	return artifacts;
}
