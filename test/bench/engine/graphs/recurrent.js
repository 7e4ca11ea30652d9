// An LSTM over sequences with a classifying head on its last state, as PyTorch exports torch.nn.LSTM.
import { GraphBuilder } from '../../../../packages/onnx/dist/index.js';
import { constant, crossEntropy, gemm, parametersOf } from './parts.js';

export function recurrent({ steps = 30, batch = 32, size = 32, hidden = 64, classes = 3 } = {}) {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	const x = g.input('x', 'float32', [steps, 'batch', size]);
	const bound = hidden ** -0.5;
	const weights = [
		at.parameter('lstm.weight', [1, 4 * hidden, size], bound),
		at.parameter('lstm.recurrence', [1, 4 * hidden, hidden], bound),
		at.parameter('lstm.bias', [1, 8 * hidden], bound),
	];
	const all = g.fresh('all', 'float32', [steps, 1, 'batch', hidden]);
	const last = g.fresh('last', 'float32', [1, 'batch', hidden]);
	g.node('LSTM', [x, ...weights], [all, last], { hidden_size: hidden });
	const state = g.op('Squeeze', [last, constant(g, 'int64', [1], [0])], {}, { shape: ['batch', hidden] });
	crossEntropy(g, gemm(g, at, 'head', state, hidden, classes), { batch, classes });
	return { graph: g.build('recurrent'), parameters: at.names, dims: { batch } };
}
