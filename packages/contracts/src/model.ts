import { type Static, Type } from 'typebox';
import { JobError } from './job.js';

const GraphValue = Type.Object({
	name: Type.String(),
	dtype: Type.String(),
	shape: Type.Array(Type.Union([Type.Integer(), Type.String()]), { description: 'a string is a dimension that is free' }),
});

/** What an initializer of floating type is, by how the graph uses it. */
export const ModelParameter = Type.Object({
	name: Type.String(),
	dtype: Type.String(),
	shape: Type.Array(Type.Integer()),
	trainable: Type.Boolean(),
	reason: Type.String({ description: 'why it is a parameter, or why it is a constant' }),
});
export type ModelParameter = Static<typeof ModelParameter>;

/** What stands against training a model; `where` is a node or value. */
export const ModelBlocker = Type.Object({
	code: Type.String(),
	message: Type.String(),
	where: Type.Union([Type.String(), Type.Null()]),
});
export type ModelBlocker = Static<typeof ModelBlocker>;

/** What is known of a forward graph before it is trained: a pure function of its bytes. */
export const ModelReport = Type.Object({
	opset: Type.Integer(),
	inputs: Type.Array(GraphValue),
	outputs: Type.Array(GraphValue),
	parameters: Type.Array(ModelParameter),
	operators: Type.Record(Type.String(), Type.Integer(), { description: 'operator → how often the graph has it' }),
	blockers: Type.Array(ModelBlocker, { description: 'empty where the model can be trained' }),
});
export type ModelReport = Static<typeof ModelReport>;

export const MODEL_STATUSES = ['inspecting', 'ready', 'refused'] as const;
export type ModelStatus = (typeof MODEL_STATUSES)[number];

/** What inspection came to. A refusal says why, and keeps the report where there is one. */
export type ModelVerdict =
	| { status: 'ready'; report: ModelReport; error: null }
	| { status: 'refused'; report: ModelReport | null; error: JobError };

/** An uploaded forward graph. `report` is there once it is inspected, but in no list; `error` says why it was refused. */
export const ModelResource = Type.Object({
	id: Type.String(),
	object: Type.Unsafe<'model'>({ type: 'string', enum: ['model'] }),
	status: Type.Unsafe<ModelStatus>({ type: 'string', enum: [...MODEL_STATUSES] }),
	created_at: Type.Integer({ description: 'unix seconds' }),
	name: Type.String({ description: 'of the file, as uploaded' }),
	bytes: Type.Integer(),
	sha256: Type.String(),
	report: Type.Union([ModelReport, Type.Null()]),
	error: Type.Union([JobError, Type.Null()]),
});
export type ModelResource = Static<typeof ModelResource>;
