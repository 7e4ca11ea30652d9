import { differentiateModel } from '@steelyard/model-file';
import { type Attribute, encodeModel, type Graph, GraphBuilder, numbersOf, OPSET, renamed, type Value, withBodies } from '@steelyard/onnx';
import { createSession, type DType, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { compositeCases } from '../packages/autodiff/test/cases/composites.js';
import { cases } from '../packages/autodiff/test/cases.js';
import { type Case, uniformNumbers } from '../packages/autodiff/test/gradient-check.js';
import { pythonRuns } from './every-runtime.js';

/** The distance between float16 numbers from 1 on. */
const EPSILON = 2 ** -10;
/**
 * How far a gradient in float16 may be from that in float64, in parts of the largest gradient of its case. Inputs and constants are the same numbers in both; the
 * model computes in float32, so that only the gradient itself is rounded, to half a step at most.
 */
const TOLERANCE = EPSILON / 2;

const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';
const asHalf = (one: Tensor): Tensor => tensor('float16', one.shape, Array.from(one.data as ArrayLike<number | bigint>, Number));
const numbers = (one: Tensor): number[] => Array.from({ length: one.data.length }, (_, i) => numbersOf(one)(i));
const rounded = (one: Tensor): Tensor => (isFloat(one.dtype) ? tensor(one.dtype, one.shape, numbers(asHalf(one))) : one);

/** The graph with `tensorOf` of all its constants, and with values of the type `typeOf` theirs, also in bodies. */
function changed(graph: Graph, tensorOf: (one: Tensor) => Tensor, typeOf: (dtype: DType) => DType): Graph {
	const value = <T extends Value>(one: T): T => ({ ...one, dtype: typeOf(one.dtype) });
	const attribute = (name: string, one: Attribute): Attribute => {
		if (one.type === 'tensor') return { type: 'tensor', value: tensorOf(one.value) };
		// float32 and float64 as numbers of ONNX
		const converts = one.type === 'int' && ['to', 'dtype'].includes(name) && [1, 11].includes(one.value);
		return converts && typeOf('float32') === 'float16' ? { type: 'int', value: 10 } : one;
	};
	// the scales of Resize are float32 in every model
	const kept = new Set(graph.nodes.flatMap(({ op, inputs }) => (op === 'Resize' && inputs[2] ? [inputs[2]] : [])));
	return {
		...graph,
		inputs: graph.inputs.map(value),
		outputs: graph.outputs.map(value),
		initializers: new Map([...graph.initializers].map(([name, one]) => [name, kept.has(name) ? one : tensorOf(one)])),
		values: new Map([...graph.values].map(([name, one]) => [name, value(one)])),
		nodes: graph.nodes.map((node) => {
			const attributes = Object.fromEntries(Object.entries(node.attributes).map(([name, one]) => [name, attribute(name, one)]));
			return withBodies({ ...node, attributes }, (body) => changed(body, tensorOf, typeOf));
		}),
	};
}

/** Uses of operators in one graph, whose loss is Σ r·y over all of them; and numbers that float16 holds for its inputs. */
function together(uses: Readonly<Record<string, Case>>): { graph: Graph; feeds: Record<string, Tensor> } {
	const whole = new GraphBuilder('whole/');
	const feeds: Record<string, Tensor> = {};
	const losses = Object.entries(uses).map(([title, { shapes, build, range, dtype = 'float64', data = [] }]) => {
		const next = uniformNumbers(1);
		const draw = (type: DType, shape: number[], [low, high]: [number, number]): Tensor =>
			rounded(
				tensor(
					type,
					shape,
					Array.from({ length: sizeOf(shape) }, () => low + (high - low) * next()),
				),
			);
		const g = new GraphBuilder();
		const inputs = shapes.map((shape, i) => {
			feeds[`${title}/x${i}`] = data[i] ? rounded(tensor(dtype, shape, data[i])) : draw(dtype, shape, range ?? [-2, 2]);
			return g.input(`x${i}`, dtype, shape);
		});
		const y = build(g, inputs);
		g.output('loss', g.cast(g.sumAll(g.mul(y, g.initializer('r', draw(y.dtype, y.shape as number[], [-1, 1])))), 'float32'));
		const part = renamed(g.build(title), (name) => `${title}/${name}`);
		for (const { name, dtype, shape } of part.inputs) whole.input(name, dtype, shape);
		whole.append(part);
		return whole.value(`${title}/loss`);
	});
	whole.output(
		'loss',
		losses.reduce((sum, one) => whole.add(sum, one)),
	);
	return { graph: whole.build('cases'), feeds };
}

const perGraph = 40;
/**
 * Every use of an operator, by title, in groups of one operator set; but those that canonicalise would change, whose rules see no other types than in
 * gradient-check.ts.
 */
function groups(): [string, { opset: number; uses: Record<string, Case> }][] {
	const all = [cases, compositeCases].flatMap((table) =>
		Object.entries(table).flatMap(([op, uses]) =>
			uses.flatMap((use, i): [string, Case][] => (use.canonical === false ? [] : [[`${op} of set ${use.opset ?? OPSET}, ${i}`, use]])),
		),
	);
	const opsetOf = ([, { opset = OPSET }]: [string, Case]): number => opset;
	return [...new Set(all.map(opsetOf))].flatMap((opset) => {
		const uses = all.filter((one) => opsetOf(one) === opset);
		return Array.from({ length: Math.ceil(uses.length / perGraph) }, (_, i): [string, { opset: number; uses: Record<string, Case> }] => {
			const some = uses.slice(i * perGraph, (i + 1) * perGraph);
			return [`${some[0]![0]} to ${some.at(-1)![0]}`, { opset, uses: Object.fromEntries(some) }];
		});
	});
}

async function run(bytes: Uint8Array, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(bytes);
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
}

/** The gradients that are further from `exact` than the tolerance allows, each with how far. */
function wrong(exact: Record<string, Tensor>, found: Record<string, Tensor>, uses: Record<string, Case>): string[] {
	return Object.keys(uses).flatMap((title) => {
		const names = Object.keys(exact).filter((name) => name.startsWith(`grad/${title}/`));
		const largest = Math.max(...names.flatMap((name) => numbers(exact[name]!).map(Math.abs)));
		return names.flatMap((name) => {
			const ours = numbers(found[name]!);
			const error = Math.max(...numbers(exact[name]!).map((value, i) => Math.abs(ours[i]! - value)));
			return error <= TOLERANCE * largest + 2 ** -24 ? [] : [`${name}: ${error / largest / EPSILON} of float16's epsilon`];
		});
	});
}

describe('the gradients of models in float16', () => {
	const halves: Record<
		string,
		{ bytes: Uint8Array; feeds: Record<string, Tensor>; exact: Record<string, Tensor>; uses: Record<string, Case> }
	> = {};

	it.each(groups())('equal those of float64 from %s', async (title, { opset, uses }) => {
		const { graph, feeds } = together(uses);
		const wrt = Object.keys(feeds);
		const gradientsOf = async (model: Graph) =>
			(await differentiateModel(encodeModel({ graph: model, opset }), { loss: 'loss', wrt })).bytes;
		const exact = await run(await gradientsOf(changed(graph, rounded, (dtype) => dtype)), feeds);
		const half = changed(
			graph,
			(one) => (isFloat(one.dtype) ? asHalf(one) : one),
			(dtype) => (isFloat(dtype) ? 'float16' : dtype),
		);
		const [bytes, halfFeeds] = [
			await gradientsOf(half),
			Object.fromEntries(Object.entries(feeds).map(([name, one]) => [name, asHalf(one)])),
		];
		const found = await run(bytes, halfFeeds);
		expect(new Set(Object.values(found).map(({ dtype }) => dtype))).toEqual(new Set(['float16']));
		expect(wrong(exact, found, uses)).toEqual([]);
		halves[title] = { bytes, feeds: halfFeeds, exact, uses };
	});

	it('are the same in the runtime of Python', async ({ skip }) => {
		const found = await pythonRuns(Object.values(halves));
		if (found === null) return skip('there is no Python that has onnxruntime');
		expect(Object.values(halves).flatMap(({ exact, uses }, i) => wrong(exact, found[i]!, uses))).toEqual([]);
	});
});
