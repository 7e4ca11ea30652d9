import type { JobResult, Metrics } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/layers';
import type { Architecture, Parameters } from './architecture.js';
import { type Examples, labelsOf, presence } from './examples.js';
import type { Job } from './job.js';
import { metricsOf } from './metrics.js';
import { predictionsFrom } from './predictions.js';

const ones = (count: number): Float32Array => new Float32Array(count).fill(1);

/** Examples that have the modality. */
function withModality(examples: Examples, modality: ModalityShape): Examples {
	const there = presence(examples, modality);
	return there === null ? examples : { ...examples, rows: examples.rows.filter((_, i) => there[i] === 1) };
}

const prefixOf = (modality: ModalityShape): string => `unimodal/${modality.name}/`;

/** Parameters of the trained model of modality `m`. */
export function unimodalParameters({ state, modalities }: Job, m: number): Parameters {
	const prefix = prefixOf(modalities[m] as ModalityShape);
	const own = [...state.kept].filter(([name]) => name.startsWith(prefix));
	return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** Trains what is not trained yet of the unimodal models, each on the examples that have its modality; false when stopped. */
export async function trainUnimodal(job: Job): Promise<boolean> {
	const { state, task, modalities, train, validation, emit } = job;
	if (state.header.modelsDone < modalities.length) emit({ type: 'stage', stage: 'unimodal' });
	for (let m = state.header.modelsDone; m < modalities.length; m++) {
		const modality = modalities[m] as ModalityShape;
		const architecture = job.unimodal[m] as Architecture;
		const [own, ownValidation] = [withModality(train, modality), withModality(validation, modality)];
		const labels = labelsOf(ownValidation);
		const weights = ones(own.rows.length);
		const predictor = await job.predictorOf(architecture);
		const outcome = await job
			.fitModel(
				{ name: modality.name, stage: 'unimodal', index: m },
				{
					architecture,
					train: own,
					weights: () => weights,
					beforeEpoch: async () => {},
					eligible: () => true,
					async validate(parameters) {
						if (labels.length === 0) return { loss: null }; // no validation row has it: the last epoch is taken
						const outputs = await (await predictor.encode(ownValidation, parameters))(ones(ownValidation.rows.length));
						return metricsOf(task, predictionsFrom(task, outputs), labels);
					},
				},
			)
			.finally(() => predictor.dispose());
		if (outcome.status === 'stopped') return false;
		for (const [name, value] of Object.entries(outcome.parameters)) state.kept.set(`${prefixOf(modality)}${name}`, value);
		state.header.modelsDone = m + 1;
		await state.save(null, new Map());
	}
	return true;
}

export type JudgedUnimodal = {
	/** By name of the examples: outputs of each model, `[N, outputs]`. */
	readonly outputs: ReadonlyMap<string, Float32Array[]>;
	/** Over the rows that have the modality. */
	readonly metrics: JobResult['unimodal'];
};

/** Outputs of the frozen unimodal models for every set of examples, and how good they are. */
export async function judgeUnimodal(job: Job): Promise<JudgedUnimodal> {
	const { task, modalities } = job;
	const sets = [job.train, job.validation, ...job.others];
	const outputs = new Map(sets.map(({ name }): [string, Float32Array[]] => [name, []]));
	const metrics: JobResult['unimodal'] = {};
	for (const [m, modality] of modalities.entries()) {
		const predictor = await job.predictorOf(job.unimodal[m] as Architecture);
		const bySplit: Record<string, Metrics> = {};
		for (const examples of sets) {
			const all = await (await predictor.encode(examples, unimodalParameters(job, m)))(ones(examples.rows.length));
			outputs.get(examples.name)?.push(all);
			const there = presence(examples, modality);
			const judged = all.filter((_, i) => there?.[Math.floor(i / task.outputs)] !== 0);
			const labels = labelsOf(withModality(examples, modality));
			if (labels.length > 0) bySplit[examples.name] = metricsOf(task, predictionsFrom(task, judged), labels);
		}
		metrics[modality.name] = bySplit;
		await predictor.dispose();
	}
	return { outputs, metrics };
}
