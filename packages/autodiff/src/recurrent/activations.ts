import { type Activation, float, type GraphBuilder, GraphError, type Node, readAttributes, type Value } from '@steelyard/onnx';

type Kind = { alpha?: number; beta?: number; build: (g: GraphBuilder, x: Value, alpha: number, beta: number) => Value };

/** The activations of recurrent operators. `alpha` and `beta` are what ONNX Runtime takes where a node leaves them out, which is 0 for three of them. */
const kinds: Readonly<Record<string, Kind>> = {
	relu: { build: (g, x) => g.op('Relu', [x]) },
	tanh: { build: (g, x) => g.op('Tanh', [x]) },
	sigmoid: { build: (g, x) => g.op('Sigmoid', [x]) },
	softsign: { build: (g, x) => g.op('Softsign', [x]) },
	softplus: { build: (g, x) => g.op('Softplus', [x]) },
	affine: { alpha: 0, beta: 0, build: (g, x, alpha, beta) => g.add(g.scale(alpha, x), g.scalar(beta, x.dtype)) },
	leakyrelu: { alpha: 0.01, build: (g, x, alpha) => g.op('LeakyRelu', [x], { alpha: float(alpha) }) },
	thresholdedrelu: { alpha: 0, build: (g, x, alpha) => g.op('ThresholdedRelu', [x], { alpha: float(alpha) }) },
	scaledtanh: { alpha: 0, beta: 0, build: (g, x, alpha, beta) => g.scale(alpha, g.op('Tanh', [g.scale(beta, x)])) },
	hardsigmoid: {
		alpha: 0.2,
		beta: 0.5,
		build: (g, x, alpha, beta) => g.op('HardSigmoid', [x], { alpha: float(alpha), beta: float(beta) }),
	},
	elu: { alpha: 1, build: (g, x, alpha) => g.op('Elu', [x], { alpha: float(alpha) }) },
};

/**
 * The activations of a recurrent node, per direction; `defaults` are those of one direction. The case of their names does not matter. The numbers of
 * `activation_alpha` and `activation_beta` belong, in order, to the activations that take one. Throws GraphError for a name that ONNX does not know.
 */
export function activationsOf(node: Node, defaults: readonly string[], directions: number): Activation[][] {
	const { texts, floats } = readAttributes(node);
	const named = texts('activations') ?? [];
	const count = defaults.length * directions;
	// the runtime writes the default activations into an RNN, and always those of two directions
	const names = named.length > 0 ? named.slice(0, count) : Array.from({ length: directions }, () => defaults).flat();
	if (names.length !== count)
		throw new GraphError(
			'malformed_model',
			`node "${node.name}" (${node.op}) has ${names.length} activations, expected ${count}`,
			node.name,
		);
	const alphas = [...(floats('activation_alpha') ?? [])];
	const betas = [...(floats('activation_beta') ?? [])];
	const all = names.map((name): Activation => {
		const kind = kinds[name.toLowerCase()];
		if (kind === undefined)
			throw new GraphError(
				'unsupported_model',
				`node "${node.name}" (${node.op}) has the activation "${name}", expected one of ${Object.keys(kinds).join(', ')}`,
				node.name,
			);
		const alpha = kind.alpha === undefined ? 0 : (alphas.shift() ?? kind.alpha);
		const beta = kind.beta === undefined ? 0 : (betas.shift() ?? kind.beta);
		return (g, x) => kind.build(g, x, alpha, beta);
	});
	return Array.from({ length: directions }, (_, i) => all.slice(i * defaults.length, (i + 1) * defaults.length));
}
