import { join } from 'node:path';
import type { JobCurves, JobResult } from '@steelyard/contracts';
import { createSession, type Session, sizeOf } from '@steelyard/runtime';
import { summariseWeights } from '@steelyard/weighting';
import type { Architecture, Parameters } from '../model/architecture.js';
import { type Examples, presence } from '../model/examples.js';
import { layoutOf, parametersByName } from '../model/parameter-layout.js';
import { type Evaluation, evaluateModel, evaluateOwnModel } from './evaluate.js';
import { explanationArtifacts, type Judged } from './explanation-artifacts.js';
import { exportModel, type TrainedModel } from './export-graph.js';
import type { TrainOutcome } from './face.js';
import type { FitOutcome } from './fit-model.js';
import type { Job } from './job.js';
import { essenceOf } from './job-state.js';
import { type JudgedUnimodal, unimodalParameters } from './unimodal-stage.js';
import { VERSION } from './version.js';
import { writeWhole } from './whole-file.js';

function trainedModel(architecture: Architecture, parameters: Parameters): TrainedModel {
	const { trained, running } = layoutOf(architecture);
	return { architecture, parameters: parametersByName([...trained, ...running], parameters) };
}

/** The metadata of an exported model. */
const metadataOf = ({ spec, dataset, modalities, task }: Job): Record<string, string> => ({
	'steelyard.version': VERSION,
	'steelyard.dataset_sha256': dataset.profile.sha256,
	'steelyard.modalities': JSON.stringify(modalities.map(({ name }) => name)),
	'steelyard.task': JSON.stringify(task),
	'steelyard.spec': JSON.stringify(essenceOf(spec)),
});

const EXPERT_USE = 'expert_use.';

/** Of a model with experts, how much each router uses each. */
function expertUseOf({ statistics }: Evaluation): Pick<JobResult, 'expert_use'> {
	const use = Object.entries(statistics).filter(([name]) => name.startsWith(EXPERT_USE));
	if (use.length === 0) return {};
	return { expert_use: Object.fromEntries(use.map(([name, shares]) => [name.slice(EXPERT_USE.length), [...shares]])) };
}

type Finish = {
	output: string;
	outcome: Extract<FitOutcome, { status: 'done' }>;
	judged: JudgedUnimodal | null;
	deviceNote: string | null;
	/** Of `performance.now`, when the attempt began. */
	started: number;
};

/** Exports the model, judges it by running the exported graph on every split, and writes the artifacts. */
export async function finish(job: Job, { output, outcome, judged, deviceNote, started }: Finish): Promise<TrainOutcome> {
	const { spec, modalities, dataset, weigher, emit } = job;
	const { header } = job.state;
	emit({ type: 'stage', stage: 'evaluating' });
	const fusion = trainedModel(job.fusion, outcome.parameters);
	const unimodal = weigher.needsOutputs
		? job.unimodal.map((architecture, m) => unimodalParameters(job, m).map((parameters) => trainedModel(architecture, parameters)))
		: [];
	const statistics = header.bestStatistics;
	const information = weigher.information(statistics);
	const own = job.fusion.ownModel?.(fusion.parameters) ?? null;
	const { bytes, judge } =
		own !== null && !job.weighted
			? { bytes: own.bytes, judge: (running: Session, examples: Examples) => evaluateOwnModel(running, own, examples, job) }
			: {
					bytes: exportModel({ ...job, fusion, unimodal, statistics, metadata: metadataOf(job) }),
					judge: (running: Session, examples: Examples): Promise<Evaluation> => evaluateModel(running, examples, job),
				};

	const metrics: JobResult['metrics'] = {};
	const evaluations: Judged[] = [];
	let weights: JobResult['modality_weights'] = {};
	let expertUse: Pick<JobResult, 'expert_use'> = {};
	const reported = job.others.find(({ name }) => name === 'test') ?? job.validation;
	const session = await createSession(bytes, { threads: spec.training.threads });
	try {
		for (const examples of [job.train, job.validation, ...job.others]) {
			const evaluation = await judge(session, examples);
			evaluations.push({ examples, evaluation });
			metrics[examples.name] = evaluation.metrics;
			if (examples !== reported) continue;
			expertUse = expertUseOf(evaluation);
			const present = modalities.map((modality) => presence(examples, modality));
			const summary = summariseWeights(evaluation.weights, { rows: examples.rows.length, modalities: modalities.length }, present);
			weights = Object.fromEntries(
				summary.map((one, m) => [
					(modalities[m] as (typeof modalities)[number]).name,
					{ ...one, mutual_information: information?.[m] ?? null },
				]),
			);
		}
	} finally {
		await session.release();
	}

	emit({ type: 'stage', stage: 'exporting' });
	const shapes = [fusion, ...unimodal.flat()].flatMap(({ architecture }) => architecture.parameters);
	const result: JobResult = {
		metrics,
		unimodal: judged?.metrics ?? {},
		modality_weights: weights,
		...expertUse,
		best_epoch: outcome.bestEpoch,
		epochs: outcome.epochs,
		parameters: shapes.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
		seconds: (performance.now() - started) / 1000,
		device: job.provider,
		device_note: deviceNote,
	};
	const curves: JobCurves = { object: 'metrics', epochs: header.epochs, weights: header.weights };
	const artifacts: Record<string, Uint8Array | string> = {
		'model.onnx': bytes,
		...(own !== null && job.weighted ? { 'graph.onnx': own.bytes } : {}),
		'report.json': `${JSON.stringify({ version: VERSION, spec, dataset: dataset.profile, result }, null, '\t')}\n`,
		'metrics.json': `${JSON.stringify(curves)}\n`,
		...explanationArtifacts(job, evaluations, judged, reported.name),
	};
	for (const [name, content] of Object.entries(artifacts)) await writeWhole(join(output, name), content);
	return { status: 'done', result, artifacts: Object.keys(artifacts) };
}
