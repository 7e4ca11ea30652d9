import { type Graph, GraphBuilder, type Value } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { withShortGelus } from '../src/gelu.js';
import { differentiate } from '../src/index.js';
import { type Case, gradientError } from './gradient-check.js';

type Written = (g: GraphBuilder, x: Value) => Value;
const erf = (g: GraphBuilder, s: Value): Value => g.op('Erf', [s]);
const plus = (g: GraphBuilder, x: Value, term: number): Value => g.add(x, g.scalar(term));

/** GELU as exporters and other libraries write it. */
const written: Record<string, Written> = {
	'x·(1 + erf(x/√2))·½': (g, x) => g.scale(0.5, g.mul(x, plus(g, erf(g, g.div(x, g.scalar(Math.SQRT2))), 1))),
	'½x·(1 + erf(x·√½))': (g, x) => g.mul(g.scale(0.5, x), plus(g, erf(g, g.scale(Math.SQRT1_2, x)), 1)),
	'x·(½·erf + ½)': (g, x) => g.mul(x, plus(g, g.scale(0.5, erf(g, g.scale(Math.SQRT1_2, x))), 0.5)),
	'(1 + erf)·½·x with the constants on the left': (g, x) =>
		g.mul(g.mul(g.scalar(0.5), g.add(g.scalar(1), erf(g, g.mul(g.scalar(Math.SQRT1_2), x)))), x),
	'(1 + erf)·(x/2)': (g, x) => g.mul(plus(g, erf(g, g.div(x, g.scalar(Math.SQRT2))), 1), g.div(x, g.scalar(2))),
};

/** What is like a GELU and is none. */
const others: Record<string, Written> = {
	'a third of it': (g, x) => g.scale(0.3, g.mul(x, plus(g, erf(g, g.div(x, g.scalar(Math.SQRT2))), 1))),
	'of another width': (g, x) => g.scale(0.5, g.mul(x, plus(g, erf(g, x), 1))),
	shifted: (g, x) => g.mul(x, plus(g, g.scale(0.5, erf(g, g.scale(Math.SQRT1_2, x))), 0.4)),
	'times another value': (g, x) => g.mul(g.op('Tanh', [x]), plus(g, g.scale(0.5, erf(g, g.scale(Math.SQRT1_2, x))), 0.5)),
	'read within': (g, x) => {
		const sum = plus(g, erf(g, g.scale(Math.SQRT1_2, x)), 1);
		return g.add(g.scale(0.5, g.mul(x, sum)), sum);
	},
};

const caseOf = (build: Written): Case => ({ shapes: [[3, 4]], dtype: 'float32', range: [-3, 3], build: (g, [x]) => build(g, x as Value) });
const graphOf = (build: Written): Graph => {
	const g = new GraphBuilder();
	g.output('loss', g.sumAll(build(g, g.input('x', 'float32', [3, 4]))));
	return g.build('case');
};
const operators = ({ nodes }: Graph): string[] => nodes.map(({ op }) => op);

describe('GELU', () => {
	it.each(Object.entries(written))('%s takes the short form, with the same values and gradients', async (_, build) => {
		expect(operators(withShortGelus(graphOf(build)))).toContain('HardSigmoid');
		for (const seed of [1, 2]) expect(await gradientError(caseOf(build), seed)).toBeLessThanOrEqual(1);
		// one Exp and no Neg: the gradient is the short one too
		const { nodes } = differentiate(graphOf(build), { loss: 'loss', wrt: ['x'] }).graph;
		expect(nodes.filter(({ op }) => op === 'Exp' || op === 'Neg').map(({ op }) => op)).toEqual(['Exp']);
	});

	it.each(Object.entries(others))('%s stays as it is', async (_, build) => {
		const graph = graphOf(build);
		expect(withShortGelus(graph)).toBe(graph);
		expect(await gradientError(caseOf(build), 1)).toBeLessThanOrEqual(1);
	});

	it('stays as it is where a part of it is asked for by name', () => {
		const graph = graphOf(written['x·(½·erf + ½)'] as Written);
		const part = graph.nodes.find(({ op }) => op === 'Add')?.outputs[0] as string;
		expect(withShortGelus(graph, [part])).toBe(graph);
		expect(differentiate(graph, { loss: 'loss', wrt: ['x', part] }).gradients.has(part)).toBe(true);
	});
});
