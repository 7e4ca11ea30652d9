// What the graphs of the bench are put together from, each in the form in which PyTorch's exporter writes it.
import { counterRandom } from '../../../../packages/random/dist/index.js';
import { tensor } from '../../../../packages/runtime/dist/index.js';

const uniform = (random, shape, bound) => {
	const values = new Float32Array(shape.reduce((all, size) => all * size, 1));
	for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * bound;
	return tensor('float32', shape, values);
};

/** A builder's initializers that are to be trained, by name; `parameter` adds one, drawn from U(−bound, bound) around `centre`. */
export function parametersOf(g) {
	const names = [];
	const random = counterRandom(1, 1);
	return {
		names,
		parameter(name, shape, bound, centre = 0) {
			names.push(name);
			const values = uniform(random, shape, bound);
			for (let i = 0; i < values.data.length; i++) values.data[i] += centre;
			return g.initializer(name, values);
		},
	};
}

/** A node Constant, as the exporter writes every number. Shapes of other values are left to the runtime. */
export const constant = (g, dtype, shape, values) =>
	g.op('Constant', [], { value: { type: 'tensor', value: tensor(dtype, shape, values) } }, { dtype, shape });

export const number = (g, value) => constant(g, 'float32', [], [value]);

/** torch.nn.Linear on three axes: the weight `[to, from]` is transposed in the graph. */
export function linear(g, { parameter }, name, x, from, to) {
	const weight = parameter(`${name}.weight`, [to, from], from ** -0.5);
	const bias = parameter(`${name}.bias`, [to], from ** -0.5);
	const product = g.op('MatMul', [x, g.op('Transpose', [weight], { perm: [1, 0] })]);
	return g.op('Add', [bias, product], {}, { shape: x.shape });
}

/** torch.nn.Linear on two axes. */
export function gemm(g, { parameter }, name, x, from, to) {
	const weight = parameter(`${name}.weight`, [to, from], from ** -0.5);
	return g.op('Gemm', [x, weight, parameter(`${name}.bias`, [to], from ** -0.5)], { transB: 1 });
}

/** Mean cross-entropy against a one-hot target: outputs `loss` and `scaled_loss`, which is lossScale times the loss. */
export function crossEntropy(g, logits, { batch, classes }) {
	const target = g.input('target', 'float32', [batch, classes]);
	const scale = g.input('lossScale', 'float32', []);
	const scores = { ...g.op('LogSoftmax', [logits], { axis: 1 }), shape: [batch, classes] };
	const loss = g.scale(-1 / batch, g.sumAll(g.mul(scores, target)));
	g.output('loss', loss);
	g.output('scaled_loss', g.mul(loss, scale));
}
