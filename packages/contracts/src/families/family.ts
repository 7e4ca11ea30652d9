import type { Static, TSchema } from 'typebox';
import type { DatasetProfile } from '../dataset.js';
import type { ModelReport } from '../model.js';
import type { ProblemError } from '../problems.js';
import type { WeightingSpec } from '../weighting.js';

/** What the conditions of a family look at in a job, beside the config of the model. */
export type JobFields = {
	readonly training: {
		readonly batch_size: number;
		readonly standardize?: boolean;
		readonly early_stopping: { readonly metric: string } | null;
	};
	readonly weighting: WeightingSpec;
};

/** What the conditions of a family look at in a dataset. */
export type DatasetFields = Pick<DatasetProfile, 'modalities' | 'task'>;

/** What a graph takes, gives and learns. */
export type ModelInterface = Pick<ModelReport, 'inputs' | 'outputs' | 'parameters'>;

/** What a job is made of: its fields, its dataset, and the graph that it trains. */
export type JobParts = JobFields & {
	readonly dataset: DatasetFields;
	/** The names of the modalities that the job uses; the dataset has each of them. */
	readonly modalities: readonly string[];
	/** Null for a family that builds its graph itself, and while an uploaded graph is not inspected. */
	readonly model: ModelInterface | null;
};

/**
 * A family of models as a job names it: the schema of its config, and the conditions that a schema cannot say. What the family builds of a config is not part of
 * it; the package `family` describes that.
 */
export type Family<Name extends string = string, Schema extends TSchema = TSchema> = {
	readonly name: Name;
	readonly schema: Schema;
	/** Whether it is known which parameters encode which modality: a weighting that acts on encoders needs that. */
	readonly knowsEncoders: boolean;
	/** Whether its models can give an output for each position of an instance, for datasets whose positions have labels. */
	readonly givesPositions?: true;
	/** The modalities that a config names. A job that names none itself uses these, or all of the dataset where the family has no such field. */
	readonly modalities?: (config: Static<Schema>) => { readonly names: readonly string[]; readonly param: string };
	/** What is wrong between fields of a job that are valid one by one; found without the dataset. */
	readonly specProblems?: (config: Static<Schema>, job: JobFields) => Iterable<ProblemError>;
	/** What is wrong between the config, the dataset and the uploaded graph. */
	readonly dataProblems?: (config: Static<Schema>, job: JobParts) => Iterable<ProblemError>;
};
