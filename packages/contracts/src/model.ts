import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { JobError } from './job-error.js';
import { metadata } from './naming.js';
import { nullable } from './nullable.js';
import { ownProject } from './project.js';

/** An input or output of a graph. */
const GraphValue = Type.Object({
	name: Type.String(),
	dtype: Type.String(),
	shape: Type.Array(Type.Union([Type.Integer(), Type.String()]), { description: 'a string names a dimension of any size' }),
});

/** An input of a graph. */
export const ModelInput = Type.Object({
	...GraphValue.properties,
	limit: Type.Optional(
		Type.Object(
			{
				size: Type.Integer({ description: 'rows of the table: ids are 0 to size - 1' }),
				table: Type.String({ description: 'the initializer in which the ids are looked up' }),
			},
			{ description: 'which ids there are, where every number of the input is looked up in a table' },
		),
	),
});

/** An output of a graph. */
export const ModelOutput = Type.Object({
	...GraphValue.properties,
	activation: Type.Optional(
		Type.Object(
			{
				operator: choice(['Softmax', 'LogSoftmax', 'Sigmoid']),
				logits: Type.String({ description: 'the value that the operator takes' }),
				axis: nullable(Type.Integer({ description: 'over which a Softmax is taken; null for Sigmoid' })),
				after: Type.Array(Type.String(), { description: 'operators between it and the output that change its numbers, such as Clip' }),
			},
			{ description: 'how the output becomes probabilities, where it ends so; a job takes its loss from the logits before' },
		),
	),
});
export type ModelOutput = Static<typeof ModelOutput>;

/** An initializer of floating type: whether training may change it, which follows from how the graph uses it. */
export const ModelParameter = Type.Object({
	name: Type.String(),
	dtype: Type.String(),
	shape: Type.Array(Type.Integer()),
	kind: Type.Optional(
		choice(['parameter', 'buffer', 'constant', 'statistic'], {
			description:
				'a parameter is trained; a buffer is kept beside parameters; a statistic is what norms measure; a constant is part of a formula',
		}),
	),
	trainable: Type.Boolean(),
	reason: Type.String({ description: 'why it is of that kind' }),
});
export type ModelParameter = Static<typeof ModelParameter>;

/** A reason why a model cannot be trained. */
export const ModelBlocker = Type.Object({
	code: Type.String(),
	message: Type.String(),
	where: nullable(Type.String({ description: 'the node or value that is to blame' })),
});
export type ModelBlocker = Static<typeof ModelBlocker>;

/** What inspection finds out about a forward graph. It depends on the bytes of the graph alone. */
export const ModelReport = Type.Object({
	opset: Type.Integer(),
	inputs: Type.Array(ModelInput),
	outputs: Type.Array(ModelOutput),
	parameters: Type.Array(ModelParameter),
	operators: Type.Record(Type.String(), Type.Integer(), { description: 'how many nodes the graph has, by operator' }),
	blockers: Type.Array(ModelBlocker, { description: 'empty where the model can be trained' }),
});
export type ModelReport = Static<typeof ModelReport>;

/** The result of an inspection: the model is ready, or refused with the reason and with the report if the graph could be read. */
export type ModelVerdict =
	| { status: 'ready'; report: ModelReport; error: null }
	| { status: 'refused'; report: ModelReport | null; error: JobError };

/** An uploaded forward graph. */
export const ModelResource = Type.Object({
	id: Type.String(),
	object: choice(['model']),
	project: ownProject,
	status: choice(['inspecting', 'ready', 'refused'], { description: 'ready: jobs can train it' }),
	created_at: Type.Integer({ description: 'unix seconds' }),
	name: Type.String({ description: 'that which it was given, else that of the uploaded file' }),
	metadata: metadata({ description: 'texts of your own by name, which the service keeps and does not read' }),
	bytes: Type.Integer({ description: 'of the uploaded file' }),
	sha256: Type.String({ description: 'of the uploaded file' }),
	report: Type.Union([ModelReport, Type.Null()], { description: 'null until the model is inspected, and in lists' }),
	error: Type.Union([JobError, Type.Null()], { description: 'why the model was refused' }),
});
export type ModelResource = Static<typeof ModelResource>;
