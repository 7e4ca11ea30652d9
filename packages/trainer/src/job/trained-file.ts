import { rawModel, readFeaturiser } from '@steelyard/features';
import { encodeModel } from '@steelyard/onnx';
import type { Session } from '@steelyard/runtime';
import type { Architecture, OwnModel, Parameters } from '../model/architecture.js';
import type { Examples } from '../model/examples.js';
import { layoutOf, parametersByName } from '../model/parameter-layout.js';
import { countOf } from '../model/work.js';
import type { ChosenModel } from './chosen-model.js';
import { type Evaluation, evaluateModel, evaluateOwnModel } from './evaluate.js';
import { exportModel, type TrainedModel } from './export-graph.js';
import type { Job } from './job.js';
import { essenceOf } from './job-state.js';
import { safetensorsParts } from './safetensors.js';
import { unimodalParameters } from './unimodal-stage.js';
import { VERSION } from './version.js';

/** What is fitted on validation after training; null where it is not. */
export type Fitted = { readonly temperature: number | null; readonly thresholds: readonly number[] | null };
export const NOTHING_FITTED: Fitted = { temperature: null, thresholds: null };

/** The file that a job ends with, and how it is run over examples. */
export type TrainedFile = {
	readonly bytes: Uint8Array;
	/** The same model with the raw columns of a table as its inputs; null where the dataset was none, and for the user's own file. */
	readonly raw: Uint8Array | null;
	/** What `judge` runs: the file, or the file with one output more. */
	readonly judged: Uint8Array;
	/** The graph that the user uploaded, trained, where it is not that file itself. */
	readonly ownGraph: Uint8Array | null;
	/** Low-rank updates apart, as safetensors; null where there are none. */
	readonly adapters: Uint8Array | null;
	/** Numbers that training found. */
	readonly parameters: number;
	/** Of an uploaded graph. */
	readonly initializers: OwnModel['initializers'] | null;
	/** `ranks`: whether auroc and auprc are wanted; they are unless given. */
	readonly judge: (session: Session, examples: Examples, ranks?: boolean) => Promise<Evaluation>;
};

function trainedModel(architecture: Architecture, parameters: Parameters): TrainedModel {
	const { trained, running } = layoutOf(architecture);
	return { architecture, parameters: parametersByName([...trained, ...running], parameters) };
}

/** The metadata of an exported model. */
const metadataOf = (
	{ spec, dataset, modalities, task: { quantiles }, initialisation }: Job,
	{ temperature, thresholds }: Fitted,
): Record<string, string> => ({
	'steelyard.version': VERSION,
	'steelyard.dataset_sha256': dataset.profile.sha256,
	'steelyard.modalities': JSON.stringify(modalities.map(({ name }) => name)),
	'steelyard.task': JSON.stringify(dataset.profile.task),
	...(quantiles === undefined ? {} : { 'steelyard.quantiles': JSON.stringify(quantiles) }),
	'steelyard.spec': JSON.stringify(essenceOf(spec)),
	...(temperature === null ? {} : { 'steelyard.temperature': String(temperature) }),
	...(thresholds === null ? {} : { 'steelyard.thresholds': JSON.stringify(thresholds) }),
	...(initialisation.sha256 === null ? {} : { 'steelyard.initialised_from_sha256': initialisation.sha256 }),
});

/** Rank and alpha of a job with low-rank updates. */
function loraMetadata({ spec: { model } }: Job): Record<string, string> {
	const lora = model.family === 'custom' ? model.lora : undefined;
	return lora === undefined ? {} : { rank: String(lora.rank), alpha: String(lora.alpha ?? lora.rank) };
}

/** Exports the trained models: an uploaded graph that nothing weighs as the user's own file, everything else as a model of ours, with what was fitted on validation. */
export function trainedFile(job: Job, { parameters, weigher, statistics }: ChosenModel, fitted: Fitted): TrainedFile {
	const { masked, modalities, task, loss, scale, standardisation, weighted } = job;
	const fusion = trainedModel(job.fusion, parameters);
	const unimodal = weigher.needsOutputs
		? job.unimodal.map((architecture, m) => unimodalParameters(job, m).map((own) => trainedModel(architecture, own)))
		: [];
	const count = [fusion, ...unimodal.flat()].reduce((sum, { architecture }) => sum + countOf(architecture.parameters), 0);
	const own = job.fusion.ownModel?.(fusion.parameters) ?? null;
	const adapters = own?.adapters ? Buffer.concat(safetensorsParts(own.adapters, loraMetadata(job))) : null;
	if (own !== null && !weighted)
		return {
			bytes: own.bytes,
			raw: null,
			judged: own.judged,
			ownGraph: null,
			adapters,
			parameters: count,
			initializers: own.initializers,
			judge: (session, examples, ranks = true) => evaluateOwnModel(session, own, examples, { ...job, ranks }),
		};
	const metadata = metadataOf(job, fitted);
	const { model, routers } = exportModel({
		...{ fusion, unimodal, masked, task, scale, standardisation, weigher, statistics, ...fitted, metadata },
	});
	const bytes = encodeModel(model);
	const featuriser = readFeaturiser(job.dataset.folder);
	return {
		bytes,
		raw: featuriser === null ? null : encodeModel(rawModel(featuriser, model)),
		judged: bytes,
		ownGraph: own?.bytes ?? null,
		adapters,
		parameters: count,
		initializers: own?.initializers ?? null,
		judge: (session, examples, ranks = true) =>
			evaluateModel(session, examples, { modalities, masked, task, loss, routers, thresholds: fitted.thresholds, ranks }),
	};
}
