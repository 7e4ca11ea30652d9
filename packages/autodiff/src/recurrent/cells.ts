import { type GraphBuilder, staticShape, type Value } from '@steelyard/onnx';
import type { Activation } from './activations.js';

/** The parameters of one direction: W [n·H, I] and R [n·H, H] of n gates; Wb and Rb [n·H]; peepholes [3·H]. */
export type Weights = { w: Value; r: Value; bias: readonly [Value, Value] | null; peepholes: Value | null };

/** How a node is set: its activations, the bound on what goes into them, and the attributes that one operator alone has. */
export type Setting = { activations: readonly Activation[]; clip: number; inputForget: boolean; linearBeforeReset: boolean };

/** One step: `xs` are the slices [B, …] of what `inputs` made, `states` [B, H] before it; gives the states after it, the first of which is the output. */
export type Step = (g: GraphBuilder, xs: readonly Value[], states: readonly Value[]) => Value[];

/** A recurrent operator: its activations unless given, its number of states, and what it does. */
export type Cell = {
	readonly activations: readonly string[];
	readonly states: number;
	/** From x [T·B, I] what a step needs of it, computed for all steps at once ([T·B, …] each), and the step. */
	prepare(g: GraphBuilder, x: Value, weights: Weights, setting: Setting): { inputs: Value[]; step: Step };
};

const rows = (x: Value): number => staticShape(x)[0] as number;

/** What goes into an activation, held within [−clip, clip]. */
const bounded = (g: GraphBuilder, x: Value, clip: number): Value =>
	clip > 0 ? g.op('Clip', [x, g.scalar(-clip, x.dtype), g.scalar(clip, x.dtype)]) : x;

const times = (g: GraphBuilder, a: Value, b: Value, c: Value | null): Value => g.gemm(a, b, c, { transB: true });

const both = (g: GraphBuilder, bias: Weights['bias']): Value | null => (bias === null ? null : g.add(...bias));

/** h' = f(W·x + R·h + Wb + Rb). */
const rnn: Cell = {
	activations: ['Tanh'],
	states: 1,
	prepare(g, x, { w, r, bias }, { activations: [f], clip }) {
		const step: Step = (b, [xw], [h]) => [(f as Activation)(b, bounded(b, times(b, h as Value, r, xw as Value), clip))];
		return { inputs: [times(g, x, w, both(g, bias))], step };
	},
};

/**
 * Gates in the order z, r, h. z and r = f(W·x + R·h + b); n = g(Wₙ·x + Rₙ·(r∘h) + bₙ), or, linear before reset, g(Wₙ·x + Wbₙ + r∘(Rₙ·h + Rbₙ));
 * h' = (1 − z)∘n + z∘h.
 */
const gru: Cell = {
	activations: ['Sigmoid', 'Tanh'],
	states: 1,
	prepare(g, x, { w, r, bias }, { activations: [f, act], clip, linearBeforeReset }) {
		const hidden = rows(w) / 3;
		const cut = (value: Value): Value[] => g.split(value, [2 * hidden, hidden], 0);
		const [wGates, wNew] = cut(w) as [Value, Value];
		const [rGates, rNew] = cut(r) as [Value, Value];
		const [ofX, ofH] = (bias ?? []).map(cut);
		const [, ofXNew] = ofX ?? [];
		const [, ofHNew] = ofH ?? [];
		const gateBias = both(g, ofX && ofH ? [ofX[0] as Value, ofH[0] as Value] : null);
		const newBias = ofXNew && ofHNew && !linearBeforeReset ? g.add(ofXNew, ofHNew) : (ofXNew ?? null);
		const step: Step = (b, [gates, fresh], [before]) => {
			const h = before as Value;
			const [z, reset] = b.split((f as Activation)(b, bounded(b, times(b, h, rGates, gates as Value), clip)), [hidden, hidden], 1) as [
				Value,
				Value,
			];
			const inside = linearBeforeReset
				? b.add(fresh as Value, b.mul(reset, times(b, h, rNew, ofHNew ?? null)))
				: times(b, b.mul(reset, h), rNew, fresh as Value);
			const n = (act as Activation)(b, bounded(b, inside, clip));
			return [b.add(n, b.mul(z, b.sub(h, n)))];
		};
		return { inputs: [times(g, x, wGates, gateBias), times(g, x, wNew, newBias)], step };
	},
};

/**
 * Gates in the order i, o, f, c. i, f and o = f(W·x + R·h + b + P∘c), where o looks at the new c; f = 1 − i when input and forget gate are coupled;
 * c' = f∘c + i∘g(…), h' = o∘h(c').
 */
const lstm: Cell = {
	activations: ['Sigmoid', 'Tanh', 'Tanh'],
	states: 2,
	prepare(g, x, { w, r, bias, peepholes }, { activations: [f, act, last], clip, inputForget }) {
		const hidden = rows(w) / 4;
		const peeps = peepholes === null ? null : (g.split(peepholes, [hidden, hidden, hidden], 0) as [Value, Value, Value]);
		const gate = (b: GraphBuilder, z: Value): Value => (f as Activation)(b, bounded(b, z, clip));
		const step: Step = (b, [xw], [h, c]) => {
			const thirds = [hidden, hidden, hidden];
			const [gates, fresh] = b.split(times(b, h as Value, r, xw as Value), [3 * hidden, hidden], 1) as [Value, Value];
			const looking = (z: Value, peep: Value, at: Value): Value => gate(b, b.add(z, b.mul(peep, at)));
			const [zi, zo, zf] = b.split(peeps === null ? gate(b, gates) : gates, thirds, 1) as [Value, Value, Value];
			const i = peeps === null ? zi : looking(zi, peeps[0], c as Value);
			const forget = inputForget ? b.sub(b.scalar(1, i.dtype), i) : peeps === null ? zf : looking(zf, peeps[2], c as Value);
			const next = b.add(b.mul(forget, c as Value), b.mul(i, (act as Activation)(b, bounded(b, fresh, clip))));
			const o = peeps === null ? zo : looking(zo, peeps[1], next);
			return [b.mul(o, (last as Activation)(b, next)), next];
		};
		return { inputs: [times(g, x, w, both(g, bias))], step };
	},
};

export const cells: Readonly<Record<string, Cell>> = { RNN: rnn, GRU: gru, LSTM: lstm };
