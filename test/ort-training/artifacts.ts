import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { encodeModel, float, GraphBuilder, type Value } from '@steelyard/onnx';
import {
	AttributeProto_AttributeType as A,
	AttributeProtoSchema,
	GraphProtoSchema,
	ModelProtoSchema,
	NodeProtoSchema,
	OperatorSetIdProtoSchema,
	TensorProtoSchema,
	TensorShapeProto_DimensionSchema,
	TensorShapeProtoSchema,
	TypeProto_SequenceSchema,
	TypeProto_TensorSchema,
	TypeProtoSchema,
	ValueInfoProtoSchema,
} from 'onnx-buf';

/** Sizes of the multilayer perceptron that both sides train. */
export const SIZES = { batch: 16, features: 6, hidden: 12, classes: 3 };
const { batch, features, hidden, classes } = SIZES;

/** Its parameters: a linear layer, the scale and shift of a LayerNorm, a linear layer. */
export const PARAMETERS: readonly { readonly name: string; readonly shape: readonly number[] }[] = [
	{ name: 'W1', shape: [features, hidden] },
	{ name: 'b1', shape: [hidden] },
	{ name: 'scale', shape: [hidden] },
	{ name: 'shift', shape: [hidden] },
	{ name: 'W2', shape: [hidden, classes] },
	{ name: 'b2', shape: [classes] },
];

/** Operators of ONNX Runtime's own domain in the training model. */
const MICROSOFT = new Set(['Gelu', 'GeluGrad', 'LayerNormalizationGrad', 'SoftmaxCrossEntropyLossGrad', 'InPlaceAccumulatorV2']);
const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;
/** The newest standard operator set whose softmax cross-entropy and LayerNormalization have training kernels in 1.19. */
const OPSET = 17;

const opsets = () =>
	Object.entries({ '': OPSET, 'com.microsoft': 1 }).map(([domain, version]) =>
		create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
	);

/**
 * One training step as ONNX Runtime's artifact generator writes it, with the gradient operators of its own registry. Inputs: x, y, the parameters, a buffer
 * for the gradient of each, and whether to overwrite or to add to the buffers. Outputs: the loss, and each parameter as it was before the step.
 */
export function trainingModel(): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [batch, features]);
	const y = g.input('y', 'int64', [batch]);
	const p = Object.fromEntries(PARAMETERS.map(({ name, shape }) => [name, g.input(name, 'float32', shape)])) as Record<string, Value>;
	const value = (name: string, shape: readonly number[]): Value => ({ name, dtype: 'float32', shape });
	const node = (op: string, inputs: readonly Value[], outputs: Record<string, readonly number[]>, attributes = {}): Value[] => {
		const made = Object.entries(outputs).map(([name, shape]) => value(name, shape));
		g.node(op, inputs, made, attributes);
		return made;
	};
	const wide = [batch, hidden];
	const logitsShape = [batch, classes];

	const z = g.gemm(x, p['W1']!, p['b1']!);
	const [normed, mean, inverse] = node(
		'LayerNormalization',
		[z, p['scale']!, p['shift']!],
		{ normed: wide, mean: [batch, 1], inverse: [batch, 1] },
		{ axis: -1, epsilon: float(1e-5) },
	) as [Value, Value, Value];
	const activated = g.op('Gelu', [normed]);
	const logits = g.gemm(activated, p['W2']!, p['b2']!);
	const [loss, logProbabilities] = node(
		'SoftmaxCrossEntropyLoss',
		[logits, y],
		{ lossOfStep: [], log: logitsShape },
		{ reduction: 'mean' },
	);

	const [dlogits] = node(
		'SoftmaxCrossEntropyLossGrad',
		[g.scalar(1), logProbabilities!, y],
		{ dlogits: logitsShape },
		{ reduction: 'mean' },
	);
	const dactivated = g.gemm(dlogits!, p['W2']!, null, { transB: true });
	const dnormed = g.op('GeluGrad', [dactivated, normed]);
	const [dz, dscale, dshift] = node(
		'LayerNormalizationGrad',
		[dnormed, z, p['scale']!, mean, inverse],
		{ dz: wide, dscale: [hidden], dshift: [hidden] },
		{ axis: -1 },
	) as [Value, Value, Value];
	const gradients: Record<string, Value> = {
		W1: g.gemm(x, dz, null, { transA: true }),
		b1: g.reduceSum(dz, [0], false),
		scale: dscale,
		shift: dshift,
		W2: g.gemm(activated, dlogits!, null, { transA: true }),
		b2: g.reduceSum(dlogits!, [0], false),
	};

	const buffers = PARAMETERS.map(({ name, shape }) => g.input(`${name}_grad.accumulation.buffer`, 'float32', shape));
	const overwrite = g.input('lazy_reset_grad', 'bool', [1]);
	g.output('loss', loss!);
	for (const { name } of PARAMETERS) g.output(`${name}/before`, p[name]!);
	PARAMETERS.forEach(({ name }, i) => {
		const done: Value = { name: `${name}_grad.accumulation.out`, dtype: 'bool', shape: [1] };
		g.node('InPlaceAccumulatorV2', [buffers[i]!, gradients[name]!, overwrite], [done]);
		g.output(done.name, done);
	});

	const proto = fromBinary(ModelProtoSchema, encodeModel({ graph: g.build('training'), opset: OPSET }));
	for (const made of proto.graph?.node ?? []) if (MICROSOFT.has(made.opType)) made.domain = 'com.microsoft';
	proto.opsetImport = opsets();
	return toBinary(ModelProtoSchema, proto);
}

export type OrtOptimizer =
	| { readonly name: 'sgd'; readonly learningRate: number }
	| {
			readonly name: 'adamw';
			readonly learningRate: number;
			readonly beta1: number;
			readonly beta2: number;
			readonly epsilon: number;
			readonly weightDecay: number;
			/** 0: as torch.optim.AdamW. 1: as the AdamW that Hugging Face had. */
			readonly mode: 0 | 1;
	  };

/** The learning rate that a session feeds; JavaScript has no way to set another. */
const SESSION_RATE = 1e-3;

/** The optimizer model: one operator over the sequences of all parameters, gradients and moments. */
export function optimizerModel(optimizer: OrtOptimizer): Uint8Array {
	const adamw = optimizer.name === 'adamw';
	const tensorType = (elemType: number, shape?: readonly number[]) =>
		create(TypeProto_TensorSchema, {
			elemType,
			...(shape && {
				shape: create(TensorShapeProtoSchema, {
					dim: shape.map((size) => create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(size) } })),
				}),
			}),
		});
	const valueInfo = (name: string, elemType: number, shape?: readonly number[]) =>
		create(ValueInfoProtoSchema, {
			name,
			type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType(elemType, shape) } }),
		});
	const sequence = (name: string) => {
		const elemType = create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType(FLOAT) } });
		const value = create(TypeProto_SequenceSchema, { elemType });
		return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { value: { case: 'sequenceType', value } }) });
	};
	const moments = adamw ? ['first_order_moments', 'second_order_moments'] : [];
	const attributes = adamw
		? [
				...Object.entries({
					alpha: optimizer.beta1,
					beta: optimizer.beta2,
					epsilon: optimizer.epsilon,
					weight_decay: optimizer.weightDecay,
				}).map(([name, f]) => create(AttributeProtoSchema, { name, type: A.FLOAT, f })),
				...Object.entries({ adam_mode: optimizer.mode, correct_bias: 1 }).map(([name, i]) =>
					create(AttributeProtoSchema, { name, type: A.INT, i: BigInt(i) }),
				),
			]
		: [];
	const scale = new Uint8Array(Float32Array.of(optimizer.learningRate / SESSION_RATE).buffer);
	const graph = create(GraphProtoSchema, {
		name: 'optimizer',
		input: [
			valueInfo('learning_rate', FLOAT, [1]),
			valueInfo('step', INT64, [1]),
			...['params', 'gradients', ...(adamw ? moments : ['first_order_moments'])].map(sequence),
		],
		// without a shape: the two optimizers disagree on whether it is [] or [1]
		output: [valueInfo('updated', BOOL)],
		initializer: [create(TensorProtoSchema, { name: 'scale', dataType: FLOAT, dims: [1n], rawData: scale })],
		node: [
			create(NodeProtoSchema, { name: 'rate', opType: 'Mul', input: ['learning_rate', 'scale'], output: ['rate'] }),
			create(NodeProtoSchema, {
				name: 'update',
				opType: adamw ? 'AdamWOptimizer' : 'SGDOptimizerV2',
				domain: 'com.microsoft',
				input: adamw ? ['rate', 'step', 'params', 'gradients', ...moments] : ['rate', 'params', 'gradients'],
				output: ['updated'],
				attribute: attributes,
			}),
		],
	});
	return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, producerName: 'steelyard', opsetImport: opsets(), graph }));
}
