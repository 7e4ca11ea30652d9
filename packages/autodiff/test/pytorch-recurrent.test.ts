import type { Attributes, GraphBuilder, Value } from '@steelyard/onnx';
import { bodyOf, node } from './cases/control.js';
import { type Recurrent, recurrentNode } from './cases/recurrent.js';
import { type Built, equalsPyTorch } from './pytorch-fixture.js';

const flat = (g: GraphBuilder, values: Value[]): Value =>
	g.concat(
		values.map((value) => g.reshape(value, [(value.shape as number[]).reduce((a, b) => a * b)])),
		0,
	);

/** The operator in its form as Scans: the runtime has the operator itself in float32 alone. */
const recurrent =
	(op: Recurrent, attributes: Attributes = {}, lengths?: number[]): Built =>
	(g, [x, w, r, b, ...states]) => {
		const [steps, batch] = x!.shape as [number, number];
		const [directions, , hidden] = r!.shape as [number, number, number];
		const state = [directions, batch, hidden];
		const outputs = [[steps, ...state], state, state]
			.slice(0, op === 'LSTM' ? 3 : 2)
			.map((shape, i): Value => ({ name: `y${i}`, dtype: 'float64', shape }));
		const long = lengths === undefined ? null : g.constant('int32', [batch], lengths);
		const direction = directions === 2 ? 'bidirectional' : 'forward';
		recurrentNode(g, op, [x!, w!, r!, b!, long, ...states], outputs, { direction, hidden_size: hidden, ...attributes }, 'scan');
		return flat(g, outputs);
	};

const gru = { linear_before_reset: 1 };
const vector = (size: number): ['float64', number[]] => ['float64', [size]];

const built: Record<string, Built> = {
	'lstm, 1 directions': recurrent('LSTM'),
	'lstm, 2 directions': recurrent('LSTM'),
	'lstm of packed sequences': recurrent('LSTM', {}, [2, 4, 1]),
	'gru, 1 directions': recurrent('GRU', gru),
	'gru, 2 directions': recurrent('GRU', gru),
	'gru of packed sequences': recurrent('GRU', gru, [4, 1, 3]),
	'rnn, 2 directions': recurrent('RNN'),
	'rnn of relu over packed sequences': recurrent('RNN', { activations: { type: 'strings', value: ['Relu', 'Relu'] } }, [3, 2, 4]),
	scan: (g, [h, x, w]) => {
		const body = bodyOf(
			[
				['float64', [2, 3]],
				['float64', [2, 3]],
			],
			(b, [h, x]) => {
				const next = b.op('Tanh', [b.add(b.matMul(h!, w!), x!)]);
				return [next, b.mul(next, next)];
			},
		);
		const backwards = { scan_input_axes: [1], scan_input_directions: [1], scan_output_directions: [1] };
		const types = [
			[2, 3],
			[4, 2, 3],
		];
		return flat(g, node(g, 'Scan', [h!, x!], types, { body, num_scan_inputs: 1, ...backwards }));
	},
	// a branch for each row
	if: (g, [x, w], shape) => {
		const body = bodyOf([vector(2)], (b, [row]) => {
			const positive = b.op('Greater', [b.sumAll(row!), b.scalar(0, 'float64')], {}, { dtype: 'bool', shape: [] });
			return node(b, 'If', [positive], [[2]], {
				then_branch: bodyOf([], (c) => [c.mul(row!, c.exp(w!))]),
				else_branch: bodyOf([], (c) => [c.mul(c.op('Tanh', [row!]), row!)]),
			});
		});
		return node(g, 'Scan', [x!], [shape], { body, num_scan_inputs: 1 })[0]!;
	},
	loop: (g, [v, w]) => {
		const body = bodyOf([['int64', []], ['bool', []], vector(3)], (b, [i, going, v]) => {
			const count = b.op('Cast', [i!], { to: 11 }, { dtype: 'float64' });
			return [going!, b.op('Sin', [b.mul(v!, b.add(w!, count))]), b.mul(v!, w!)];
		});
		return flat(g, node(g, 'Loop', [g.constant('int64', [], [3]), g.constant('bool', [], [1]), v!], [[3], [3, 3]], { body }));
	},
};

equalsPyTorch('gradients-recurrent.json', built);
