import type { GraphBuilder } from './builder.js';
import type { Value } from './graph.js';

/** A function of one variable that is applied to every number of x. */
export type Activation = (g: GraphBuilder, x: Value) => Value;

const sigmoid: Activation = (g, x) => g.op('Sigmoid', [x]);
const tanh: Activation = (g, x) => g.op('Tanh', [x]);

/** What is free in a step of an LSTM. */
export type LstmOptions = {
	/** How the three gates stand side by side; the candidate comes behind them. */
	readonly order: readonly ('input' | 'output' | 'forget')[];
	/** The activations of the gates (the logistic function unless given), of the candidate and of the cell state in the output (tanh). */
	readonly gate?: Activation;
	readonly candidate?: Activation;
	readonly output?: Activation;
	/** Weights `[hidden]` by which the gates look at the cell state as well, the output gate at the new one (Gers and Schmidhuber 2000). */
	readonly peepholes?: Readonly<Record<'input' | 'output' | 'forget', Value>> | null;
	/** Whether the forget gate is 1 − the input gate. */
	readonly coupled?: boolean;
};

/**
 * One step of an LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). `sums` `[batch, 4·hidden]` are what goes into the gates and the
 * candidate: W·x + R·h + b. With σ and tanh as activations, c' = σ(f)∘c + σ(i)∘tanh(candidate) and h' = σ(o)∘tanh(c'). Gives h' and c', `[batch, hidden]`.
 */
export function lstmStep(g: GraphBuilder, sums: Value, c: Value, options: LstmOptions): [h: Value, c: Value] {
	const { order, gate = sigmoid, candidate = tanh, output = tanh, peepholes = null, coupled = false } = options;
	const hidden = c.shape[1] as number;
	// one cut and three activations cost less than two cuts around one activation of three gates: a cut copies row by row
	const parts = g.split(sums, [hidden, hidden, hidden, hidden], 1);
	const candidateSums = parts[3] as Value;
	const gateOf = (name: 'input' | 'output' | 'forget', cell: Value): Value => {
		const part = parts[order.indexOf(name)] as Value;
		return gate(g, peepholes === null ? part : g.add(part, g.mul(peepholes[name], cell)));
	};
	const input = gateOf('input', c);
	const forget = coupled ? g.sub(g.scalar(1, input.dtype), input) : gateOf('forget', c);
	const next = g.add(g.mul(forget, c), g.mul(input, candidate(g, candidateSums)));
	return [g.mul(gateOf('output', next), output(g, next)), next];
}

/** What is free in a step of a GRU. */
export type GruOptions = {
	/** How the two gates stand side by side. */
	readonly order: readonly ('update' | 'reset')[];
	/** The activations of the gates (the logistic function unless given) and of the candidate (tanh). */
	readonly gate?: Activation;
	readonly candidate?: Activation;
};

/**
 * One step of a GRU (Cho et al. 2014). `gateSums` `[batch, 2·hidden]` are what goes into the gates, `candidateSums` gives what goes into the candidate, of the
 * reset gate: before the product with R or, as in PyTorch and cuDNN, behind it. With z the update gate and n the candidate, h' = n + z∘(h − n), `[batch, hidden]`.
 */
export function gruStep(g: GraphBuilder, gateSums: Value, candidateSums: (reset: Value) => Value, h: Value, options: GruOptions): Value {
	const { order, gate = sigmoid, candidate = tanh } = options;
	const hidden = h.shape[1] as number;
	const parts = g.split(gateSums, [hidden, hidden], 1).map((sums) => gate(g, sums));
	const [reset, update] = [parts[order.indexOf('reset')], parts[order.indexOf('update')]] as [Value, Value];
	const n = candidate(g, candidateSums(reset));
	return g.add(n, g.mul(update, g.sub(h, n)));
}
