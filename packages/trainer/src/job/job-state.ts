import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { JobCurves, JobSpec } from '@steelyard/contracts';
import type { Provider, Tensor } from '@steelyard/runtime';
import type { FitOptions, FitState } from '../step/fit.js';
import { latestCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { TrainOptions } from './face.js';
import type { Prepared } from './prepare.js';
import { VERSION } from './version.js';

/** Everything of a job, beside tensors, that a checkpoint keeps. */
export type JobHeader = {
	/** Of the spec and dataset that it belongs to. */
	readonly key: string;
	/** Unimodal models done; all of them while the fusion model trains. */
	modelsDone: number;
	fit: FitState | null;
	readonly epochs: JobCurves['epochs'];
	readonly weights: JobCurves['weights'];
	smoothing: number;
	/** Validation loss of the last epoch, and at the last refresh. */
	lastLoss: number | null;
	lossAtRefresh: number | null;
	/** Lowest validation loss of an epoch so far, and whether it came after the last refresh. */
	lowestLoss: number | null;
	improved: boolean;
	/** Refreshes made, and the optimizer step of the last one. */
	refreshes: number;
	lastRefresh: number;
	/** Those of the last refresh, as the weigher has them; plain JSON. */
	statistics: unknown;
	/** Those under which the best epoch was validated: the export carries them, so that what was chosen is what is downloaded. */
	bestStatistics: unknown;
};

/** Where a job stands, and how it is kept. */
export type JobState = {
	readonly header: JobHeader;
	/** Tensors beside those of the running fit: `unimodal/<modality>/<state>`, `table/weights`. */
	readonly kept: Map<string, Tensor>;
	/** What the fit of model `index` goes on from, if it was this one that ran. */
	resumeOf: (index: number) => FitOptions['resume'];
	/** Milliseconds since the last save or the start. */
	unsavedMs: () => number;
	save: (fit: FitState | null, tensors: ReadonlyMap<string, Tensor>) => Promise<void>;
};

/** The config of a model without the id of its upload, which says nothing of its contents. */
function plainModel(model: JobSpec['model']): object {
	if (model.family !== 'custom') return model;
	const { model: _, ...rest } = model;
	return rest;
}

/** The part of a spec that results depend on, beside the dataset and the bytes of an uploaded graph. */
export const essenceOf = ({ model, modalities, weighting, training }: JobSpec) => ({
	model: plainModel(model),
	...(modalities === undefined ? {} : { modalities }),
	weighting,
	training,
});

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** The state of a job: from its newest checkpoint in its folder or those of earlier attempts, or from the beginning. */
export async function openJobState(
	{ spec, model, output, earlier = [] }: TrainOptions,
	prepared: Prepared,
	provider: Provider,
): Promise<JobState> {
	const uploaded = model === undefined ? [] : [sha256(await readFile(model))];
	const key = sha256(JSON.stringify([essenceOf(spec), prepared.dataset.profile.sha256, provider, VERSION, ...uploaded]));
	const found = await latestCheckpoint<JobHeader>([output, ...earlier]);
	const resumed = found?.header.key === key ? found : null;
	const header: JobHeader = resumed?.header ?? {
		key,
		modelsDone: 0,
		fit: null,
		epochs: [],
		weights: [],
		smoothing: prepared.weigher.smoothing.initial,
		lastLoss: null,
		lossAtRefresh: null,
		lowestLoss: null,
		improved: false,
		refreshes: 0,
		lastRefresh: 0,
		statistics: null,
		bestStatistics: null,
	};
	const tensors = resumed?.tensors ?? new Map<string, Tensor>();
	const kept = new Map([...tensors].filter(([name]) => /^(unimodal|table)\//.test(name)));
	let savedAt = performance.now();
	return {
		header,
		kept,
		resumeOf: (index) => (header.fit !== null && header.modelsDone === index ? { state: header.fit, tensors } : null),
		unsavedMs: () => performance.now() - savedAt,
		async save(fit, running) {
			header.fit = fit;
			await saveCheckpoint(output, { header, tensors: new Map([...kept, ...running]) });
			savedAt = performance.now();
		},
	};
}
