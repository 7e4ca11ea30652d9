import { type Activation, type GraphBuilder, gruStep, lstmStep, staticShape, type Value } from '@steelyard/onnx';

/** The parameters of one direction: W [n·H, I] and R [n·H, H] of n gates; Wb and Rb [n·H]; peepholes [3·H]. */
export type Weights = { w: Value; r: Value; bias: readonly [Value, Value] | null; peepholes: Value | null };

/** The attributes of a node: its activations, the bound on what goes into them (0 for none), and those that only one operator has. */
export type Setting = { activations: readonly Activation[]; clip: number; inputForget: boolean; linearBeforeReset: boolean };

/** Adds one step. `xs` are the slices [B, …] of the `inputs` that `prepare` gives, `states` [B, H] those before the step. Gives the states after it, of which the first is the output. */
export type Step = (g: GraphBuilder, xs: readonly Value[], states: readonly Value[]) => Value[];

/** A recurrent operator: its default activations, its number of states, and what it computes. */
export type Cell = {
	readonly activations: readonly string[];
	readonly states: number;
	/** From x [T·B, I] the `inputs` of the steps, [T·B, …] each and computed for all steps at once, and the step. */
	prepare(g: GraphBuilder, x: Value, weights: Weights, setting: Setting): { inputs: Value[]; step: Step };
};

const rows = (x: Value): number => staticShape(x)[0] as number;

/** The activation of what lies within [−clip, clip]; of everything where `clip` is 0. */
const clipped =
	(activation: Activation | undefined, clip: number): Activation =>
	(g, x) =>
		(activation as Activation)(g, clip > 0 ? g.op('Clip', [x, g.scalar(-clip, x.dtype), g.scalar(clip, x.dtype)]) : x);

/** A·Bᵀ + C. */
const times = (g: GraphBuilder, a: Value, b: Value, c: Value | null): Value => g.gemm(a, b, c, { transB: true });

const both = (g: GraphBuilder, bias: Weights['bias']): Value | null => (bias === null ? null : g.add(...bias));

/** h' = f(W·x + R·h + Wb + Rb). */
const rnn: Cell = {
	activations: ['Tanh'],
	states: 1,
	prepare(g, x, { w, r, bias }, { activations: [f], clip }) {
		const step: Step = (b, [xw], [h]) => [clipped(f, clip)(b, times(b, h as Value, r, xw as Value))];
		return { inputs: [times(g, x, w, both(g, bias))], step };
	},
};

/**
 * Gates in the order z, r, candidate. What goes into the candidate is W·x + R·(r∘h) + Wb + Rb, or, linear before reset, W·x + Wb + r∘(R·h + Rb). So the gates and the
 * candidate have weights of their own, of which the sums over x are taken apart.
 */
const gru: Cell = {
	activations: ['Sigmoid', 'Tanh'],
	states: 1,
	prepare(g, x, { w, r, bias }, { activations: [f, act], clip, linearBeforeReset }) {
		const hidden = rows(w) / 3;
		const cut = (value: Value): Value[] => g.split(value, [2 * hidden, hidden], 0);
		const [wGates, wCandidate] = cut(w) as [Value, Value];
		const [rGates, rCandidate] = cut(r) as [Value, Value];
		const [ofX, ofH] = (bias ?? []).map(cut);
		const [, biasOfX] = ofX ?? [];
		const [, biasOfH] = ofH ?? [];
		const gateBias = both(g, ofX && ofH ? [ofX[0] as Value, ofH[0] as Value] : null);
		const candidateBias = biasOfX && biasOfH && !linearBeforeReset ? g.add(biasOfX, biasOfH) : (biasOfX ?? null);
		const step: Step = (b, xs, states) => {
			const [gatesOfX, candidateOfX] = xs as [Value, Value];
			const [h] = states as [Value];
			const candidate = (reset: Value): Value =>
				linearBeforeReset
					? b.add(candidateOfX, b.mul(reset, times(b, h, rCandidate, biasOfH ?? null)))
					: times(b, b.mul(reset, h), rCandidate, candidateOfX);
			const activations = { gate: clipped(f, clip), candidate: clipped(act, clip) };
			return [gruStep(b, times(b, h, rGates, gatesOfX), candidate, h, { order: ['update', 'reset'], ...activations })];
		};
		return { inputs: [times(g, x, wGates, gateBias), times(g, x, wCandidate, candidateBias)], step };
	},
};

/** Gates in the order i, o, f, candidate; peepholes in the order i, o, f. The activation of the cell state in the output is not clipped. */
const lstm: Cell = {
	activations: ['Sigmoid', 'Tanh', 'Tanh'],
	states: 2,
	prepare(g, x, { w, r, bias, peepholes }, { activations: [f, act, last], clip, inputForget }) {
		const hidden = rows(w) / 4;
		const looking = peepholes === null ? null : (g.split(peepholes, [hidden, hidden, hidden], 0) as [Value, Value, Value]);
		const step: Step = (b, [xw], [h, c]) =>
			lstmStep(b, times(b, h as Value, r, xw as Value), c as Value, {
				order: ['input', 'output', 'forget'],
				gate: clipped(f, clip),
				candidate: clipped(act, clip),
				output: last as Activation,
				peepholes: looking && { input: looking[0], output: looking[1], forget: looking[2] },
				coupled: inputForget,
			});
		return { inputs: [times(g, x, w, both(g, bias))], step };
	},
};

export const cells: Readonly<Record<string, Cell>> = { RNN: rnn, GRU: gru, LSTM: lstm };
