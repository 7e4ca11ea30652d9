import { type JobResult, type Metrics, ProblemError } from '@steelyard/contracts';
import { foldsOf } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import type { Architecture, Parameters, Predictor } from '../model/architecture.js';
import { type Examples, labelsOf, presence, taken } from '../model/examples.js';
import { metricsOf } from '../report/metrics.js';
import { predictionsFrom } from '../report/predictions.js';
import { fitModel } from './fit-model.js';
import type { Job } from './job.js';
import { EvaluationError, overRows, type RowChecks } from './over-rows.js';
import { type Member, membersOf, nameOf } from './unimodal-members.js';

const ones = (count: number): Float32Array => new Float32Array(count).fill(1);

/** Those examples of a set whose place `keep` accepts. */
const only = (examples: Examples, keep: (i: number) => boolean): Examples => ({
	...examples,
	rows: examples.rows.filter((_, i) => keep(i)),
});

/** The output of a unimodal model for all examples, `[N, outputs]`. */
const outputsOf = (predictor: Predictor, examples: Examples, parameters: Parameters, checks: RowChecks): Promise<Float32Array> =>
	overRows(
		examples,
		async (places) => (await predictor.encode(taken(examples, places), parameters))(ones(places.length)),
		(output) => output,
		checks,
	);

/** Examples that have the modality. */
function withModality(examples: Examples, modality: ModalityShape): Examples {
	const there = presence(examples, modality);
	return there === null ? examples : only(examples, (i) => there[i] === 1);
}

/** Parameters of the trained models of modality `m`. */
export const unimodalParameters = (job: Job, m: number): Parameters[] =>
	membersOf(job)
		.filter((member) => member.m === m)
		.map((member) => job.state.unimodal.get(nameOf(member)) as Parameters);

/** The fold of each training example; null where each modality has one model, which is trained on all of them. */
const foldsIn = ({ train, weigher: { models }, spec }: Job): Uint8Array | null =>
	models > 1 ? foldsOf(train.split, train.rows, models, spec.training.seed) : null;

/** What a model is trained on: the examples that have its modality, without those of its fold. */
function trainingSet({ train }: Job, { modality, fold }: Member, folds: Uint8Array | null): Examples {
	const there = presence(train, modality);
	const own = only(train, (i) => there?.[i] !== 0 && (folds === null || folds[i] !== fold));
	if (own.rows.length === 0)
		throw new ProblemError(
			'invalid_dataset',
			`every training row that has the modality "${modality.name}" is in fold ${fold}: none is left to train its model on; choose fewer weighting.folds`,
			'weighting.folds',
		);
	return own;
}

/** Trains what is not trained yet of the unimodal models; false when stopped. */
export async function trainUnimodal(job: Job): Promise<boolean> {
	const { state, task, validation, emit } = job;
	const members = membersOf(job);
	const folds = foldsIn(job);
	if (state.header.modelsDone < members.length) emit({ type: 'stage', stage: 'unimodal' });
	for (const member of members.slice(state.header.modelsDone)) {
		const { index, m, modality } = member;
		const architecture = job.unimodal[m] as Architecture;
		const own = trainingSet(job, member, folds);
		const ownValidation = withModality(validation, modality);
		const labels = labelsOf(ownValidation);
		const weights = ones(own.rows.length);
		const predictor = await job.predictorOf(architecture);
		const place = { name: nameOf(member), stage: 'unimodal', index } as const;
		const outcome = await fitModel(job, place, {
			architecture,
			train: own,
			weights: () => weights,
			mostSteps: null,
			beforeChunk: async () => {},
			eligible: () => true,
			keepsPassedOver: false,
			async validate(parameters) {
				if (labels.length === 0) return { reported: { loss: null }, chosenBy: { loss: null } }; // no validation row has it: the last epoch is taken
				const outputs = await outputsOf(predictor, ownValidation, parameters, { counted: null, mayDiverge: true });
				const metrics = metricsOf(task, predictionsFrom(task, outputs), labels, job.loss);
				return { reported: metrics, chosenBy: metrics };
			},
		}).finally(() => predictor.dispose());
		if (outcome.status === 'stopped') return false;
		state.unimodal.set(nameOf(member), outcome.parameters);
		state.header.modelsDone = index + 1;
		state.header.skippedSteps += outcome.skipped;
		await state.save(null);
	}
	return true;
}

export type JudgedUnimodal = {
	/** Name of the examples → per modality the mean output of its models, `[N, outputs]`; not those of `failed`. */
	readonly outputs: ReadonlyMap<string, Float32Array[]>;
	/** Per modality the outputs for the training examples; where there are folds, each example is judged by the model that was trained without it. */
	readonly training: readonly Float32Array[];
	/** Over the rows that have the modality. */
	readonly metrics: JobResult['unimodal'];
	/** Why sets of examples beside training and validation could not be judged, by name. */
	readonly failed: ReadonlyMap<string, EvaluationError>;
};

/** The mean of outputs, element by element; the graph of the export adds in the same order. */
function meanOf(outputs: readonly Float32Array[]): Float32Array {
	if (outputs.length === 1) return outputs[0] as Float32Array;
	const sum = (outputs[0] as Float32Array).slice();
	for (const output of outputs.slice(1)) output.forEach((value, i) => void (sum[i] = (sum[i] as number) + value));
	return sum.map((value) => value * Math.fround(1 / outputs.length));
}

/**
 * Opens the trained models of modality `m`, whose mean output `[N, outputs]` the function gives that `use` gets. Where there are rows that a model cannot judge, or judges
 * by numbers that are not finite, it throws EvaluationError.
 */
export async function withUnimodal<T>(
	job: Job,
	m: number,
	use: (outputs: (examples: Examples) => Promise<Float32Array>) => Promise<T>,
): Promise<T> {
	const predictor = await job.predictorOf(job.unimodal[m] as Architecture);
	const modality = job.modalities[m] as ModalityShape;
	try {
		return await use(async (examples) => {
			const each: Float32Array[] = [];
			const checks = { counted: presence(examples, modality), mayDiverge: false };
			for (const parameters of unimodalParameters(job, m)) each.push(await outputsOf(predictor, examples, parameters, checks));
			return meanOf(each);
		});
	} finally {
		await predictor.dispose();
	}
}

/** Rows of outputs `[N, width]`, each from the one of `outputs` that `fold` names. */
const picked = (outputs: readonly Float32Array[], fold: Uint8Array, width: number): Float32Array =>
	(outputs[0] as Float32Array).map((_, at) => (outputs[fold[Math.floor(at / width)] as number] as Float32Array)[at] as number);

/** Outputs of the frozen unimodal models for every set of examples, and how good they are. */
export async function judgeUnimodal(job: Job): Promise<JudgedUnimodal> {
	const { task, modalities } = job;
	const sets = [job.train, job.validation, ...job.others];
	const outputs = new Map(sets.map(({ name }): [string, Float32Array[]] => [name, []]));
	const training: Float32Array[] = [];
	const folds = foldsIn(job);
	const metrics: JobResult['unimodal'] = {};
	const failed = new Map<string, EvaluationError>();
	for (const [m, modality] of modalities.entries()) {
		const predictor = await job.predictorOf(job.unimodal[m] as Architecture);
		const models = unimodalParameters(job, m);
		const bySplit: Record<string, Metrics> = {};
		for (const examples of sets) {
			const there = presence(examples, modality);
			const each: Float32Array[] = [];
			try {
				for (const parameters of models) each.push(await outputsOf(predictor, examples, parameters, { counted: there, mayDiverge: true }));
			} catch (error) {
				if (!(error instanceof EvaluationError && job.others.includes(examples))) throw error;
				failed.set(examples.name, error);
				continue;
			}
			const all = meanOf(each);
			outputs.get(examples.name)?.push(all);
			if (examples === job.train) training.push(folds === null ? all : picked(each, folds, task.outputs));
			const judged = all.filter((_, i) => there?.[Math.floor(i / task.outputs)] !== 0);
			const labels = labelsOf(withModality(examples, modality));
			if (labels.length > 0) bySplit[examples.name] = metricsOf(task, predictionsFrom(task, judged), labels, job.loss);
		}
		metrics[modality.name] = bySplit;
		await predictor.dispose();
	}
	for (const name of failed.keys()) outputs.delete(name);
	return { outputs, training, metrics, failed };
}
