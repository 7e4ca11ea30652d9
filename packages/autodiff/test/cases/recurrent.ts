import { type Attributes, float, type GraphBuilder, type Node, type Value } from '@steelyard/onnx';
import type { DType } from '@steelyard/runtime';
import { asScan } from '../../src/recurrent/as-scan.js';
import type { Case } from '../gradient-check.js';
import { mixed } from './control.js';

const gates = { LSTM: 4, GRU: 3, RNN: 1 } as const;
export type Recurrent = keyof typeof gates;

const STEPS = 3;
const BATCH = 2;
const SIZE = 2;
const HIDDEN = 2;

/** Which inputs there are beside x, W and R, by their place; sequence lengths are a constant. */
const places = { bias: 3, h: 5, c: 6, peepholes: 7 } as const;
type Place = keyof typeof places;
type Use = { given?: Place[]; lengths?: number[]; attributes?: Attributes; outputs?: number[]; range?: [number, number] };

/** Adds the node, or its form as Scans, which has kernels in float64; gives those of its outputs that are asked for. */
export function recurrentNode(
	g: GraphBuilder,
	op: Recurrent,
	inputs: (Value | null)[],
	outputs: Value[],
	attributes: Attributes,
	form: 'fused' | 'scan',
): void {
	const at = g.nested();
	at.node(op, inputs, outputs, attributes);
	const node = at.build('').nodes[0] as Node;
	if (form === 'scan') g.append(asScan(g.nested(), node, inputs));
	else g.node(op, inputs, outputs, attributes);
}

const use = (
	op: Recurrent,
	form: 'fused' | 'scan',
	{ given = [], lengths, attributes = {}, outputs = [0, 1, 2], range = [-1, 1] }: Use,
): Case => {
	const count = attributes['direction'] === 'bidirectional' ? 2 : 1;
	const batchFirst = attributes['layout'] === 1;
	const width = gates[op] * HIDDEN;
	const state = batchFirst ? [BATCH, count, HIDDEN] : [count, BATCH, HIDDEN];
	const shapes: Record<Place, number[]> = { bias: [count, 2 * width], h: state, c: state, peepholes: [count, 3 * HIDDEN] };
	const dtype: DType = form === 'fused' ? 'float32' : 'float64';
	return {
		shapes: [
			batchFirst ? [BATCH, STEPS, SIZE] : [STEPS, BATCH, SIZE],
			[count, width, SIZE],
			[count, width, HIDDEN],
			...given.map((place) => shapes[place]),
		],
		range,
		dtype,
		build: (g, [x, w, r, ...more]) => {
			const inputs: (Value | null)[] = [x!, w!, r!];
			given.forEach((place, i) => {
				inputs[places[place]] = more[i]!;
			});
			if (lengths !== undefined) inputs[4] = g.constant('int32', [BATCH], lengths);
			const last = Math.max(...inputs.keys()) + 1;
			const all = [batchFirst ? [BATCH, STEPS, count, HIDDEN] : [STEPS, count, BATCH, HIDDEN], state, state];
			const values = all
				.slice(0, op === 'LSTM' ? 3 : 2)
				.map((shape, i): Value => ({ name: `${op}.${i}`, dtype, shape }))
				.filter((_, i) => i <= Math.max(...outputs));
			const list = Array.from({ length: last }, (_, i) => inputs[i] ?? null);
			recurrentNode(g, op, list, values, { hidden_size: HIDDEN, ...attributes }, form);
			return mixed(
				g,
				values.filter((_, i) => outputs.includes(i)),
			);
		},
	};
};

const directions = ['forward', 'reverse', 'bidirectional'];
const floats = (...value: number[]) => ({ type: 'floats', value }) as const;
const activations = (value: string[]): Attributes => ({ activations: { type: 'strings', value } });

/** In float32 the operator itself, which the rule takes apart; in float64 its form as Scans, which is what is differentiated. */
export const recurrentCases: Record<string, Case[]> = {
	LSTM: [
		...directions.map((direction) => use('LSTM', 'fused', { given: ['bias', 'h', 'c'], attributes: { direction } })),
		...directions.map((direction) => use('LSTM', 'scan', { given: ['bias', 'h', 'c'], attributes: { direction }, lengths: [3, 1] })),
		use('LSTM', 'fused', { lengths: [2, 3], outputs: [2] }),
		use('LSTM', 'fused', { given: ['h'], outputs: [1], attributes: activations(['HardSigmoid', 'Softsign', 'Softplus']) }),
		use('LSTM', 'scan', { given: ['bias', 'c', 'peepholes'], attributes: { direction: 'bidirectional', clip: float(0.6) } }),
		use('LSTM', 'scan', { given: ['bias', 'peepholes'], outputs: [0], attributes: { input_forget: 1, layout: 1 } }),
		use('LSTM', 'scan', { given: ['h', 'c'], outputs: [1, 2], attributes: { layout: 1, direction: 'reverse' }, lengths: [0, 2] }),
	],
	GRU: [
		...directions.map((direction) => use('GRU', 'fused', { given: ['bias', 'h'], attributes: { direction, linear_before_reset: 1 } })),
		...directions.map((direction) => use('GRU', 'scan', { given: ['bias', 'h'], attributes: { direction }, lengths: [3, 2] })),
		use('GRU', 'scan', { given: ['bias', 'h'], outputs: [1], attributes: { linear_before_reset: 1, clip: float(0.6) } }),
		use('GRU', 'scan', { outputs: [0], attributes: { linear_before_reset: 1, layout: 1 } }),
		use('GRU', 'fused', {
			given: ['bias'],
			attributes: { ...activations(['ScaledTanh', 'Affine']), activation_alpha: floats(0.7, 0.6), activation_beta: floats(0.9, 0.2) },
		}),
	],
	RNN: [
		...directions.map((direction) => use('RNN', 'fused', { given: ['bias', 'h'], attributes: { direction } })),
		use('RNN', 'scan', { given: ['bias', 'h'], attributes: { direction: 'bidirectional', layout: 1 }, lengths: [1, 3] }),
		use('RNN', 'scan', { attributes: { clip: float(0.6) }, outputs: [1] }),
		use('RNN', 'fused', { given: ['bias'], attributes: { ...activations(['LeakyRelu']), activation_alpha: floats(0.3) }, range: [0.1, 1] }),
	],
};
