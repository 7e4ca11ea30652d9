import { readFileSync } from 'node:fs';
import { type ForwardContext, inference } from '@steelyard/family';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { attention, attentionParameters, evenTimes, type TimeAttentionSize, timeAttention, timeAttentionParameters } from '../src/index.js';

type Numbers = { shape: number[]; values: number[] };
type Case = { title: string; heads: number; parameters: Record<string, Numbers>; inputs: Record<string, Numbers>; output: number[] };
type TimeCase = Case & { points: number; size: TimeAttentionSize };
const fixture = JSON.parse(readFileSync(new URL('fixtures/attention.json', import.meta.url), 'utf8')) as {
	attention: Case[];
	time: TimeCase[];
};

/** What a layer gives for the inputs of a case; `batch` is the first dimension as the graph knows it. */
async function run(
	{ parameters, inputs }: Case,
	batch: number | string,
	layer: (context: ForwardContext, input: (name: string) => Value | null) => Value,
): Promise<Tensor> {
	const g = new GraphBuilder();
	const feeds: Record<string, Tensor> = {};
	const given = new Map(
		Object.entries(inputs).map(([name, { shape, values }]) => {
			feeds[name] = tensor('float32', shape, values);
			return [name, g.input(name, 'float32', [batch, ...shape.slice(1)])];
		}),
	);
	for (const [name, { shape, values }] of Object.entries(parameters)) g.initializer(name, tensor('float32', shape, values));
	const output = layer(
		inference(g, (name) => g.value(name)),
		(name) => given.get(name) ?? null,
	);
	g.output('output', output);
	const session = await createSession(encodeModel({ graph: g.build('layer'), opset: OPSET }));
	const found = (await session.run(feeds))['output'] as Tensor;
	await session.release();
	expect(output.shape).toEqual([batch, ...found.shape.slice(1)]);
	return found;
}

const attended = (c: Case, batch: number | string): Promise<Tensor> =>
	run(c, batch, (context, input) => {
		const queries = input('queries') as Value;
		return attention(context, { queries, keys: input('keys') ?? queries, mask: input('mask') }, 'it', { heads: c.heads });
	});
const timed = (c: TimeCase, batch: number | string): Promise<Tensor> =>
	run(c, batch, (context, input) => {
		const values = input('values') as Value;
		const times = input('times') ?? evenTimes(context.g, values.shape[1] as number);
		return timeAttention(context, { values, times, mask: input('mask') }, 'it', { heads: c.heads, points: c.points });
	});

/** float32 against float64: a softmax between products of some ten numbers of about 1. */
const expectNear = (found: Tensor, expected: number[]): void => {
	expect(found.data).toHaveLength(expected.length);
	expected.forEach((value, i) =>
		expect(Math.abs((found.data[i] as number) - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value))),
	);
};
const shapes = (parameters: Record<string, Numbers>) => Object.entries(parameters).map(([name, { shape }]) => ({ name, shape }));
const named = (specs: ReturnType<typeof attentionParameters>) => specs.map(({ name, shape }) => ({ name, shape }));

/** The case with other numbers where its mask leaves keys out, and where there are no keys at all. */
function changedUnderTheMask<C extends Case>(c: C, name: string): C {
	const [numbers, mask] = [c.inputs[name]!, c.inputs['mask']!];
	const width = numbers.values.length / mask.values.length;
	const values = numbers.values.map((value, i) => (mask.values[Math.floor(i / width)] === 0 ? 1e4 - value : value));
	return { ...c, inputs: { ...c.inputs, [name]: { ...numbers, values } } };
}

describe('attention', () => {
	for (const c of fixture.attention)
		for (const batch of [c.inputs['queries']!.shape[0]!, 'batch'])
			it(`is that of torch.nn.MultiheadAttention: ${c.title}, batch ${typeof batch === 'number' ? 'of a size' : 'without a size'}`, async () => {
				expectNear(await attended(c, batch), c.output);
			});

	for (const c of fixture.attention)
		it(`has the parameters that it reads, in order: ${c.title}`, () => {
			expect(named(attentionParameters('it', c.inputs['queries']!.shape[2]!))).toEqual(shapes(c.parameters));
		});

	it('does not look at keys that the mask leaves out', async () => {
		const cross = fixture.attention[2]!;
		expectNear(await attended(changedUnderTheMask(cross, 'keys'), 'batch'), cross.output);
	});

	it('gives exact zeros to a row without any key', async () => {
		const cross = fixture.attention[2]!;
		const found = await attended(cross, 'batch');
		expect([...(found.data as Float32Array).subarray(0, 2 * 8)].map(Math.abs)).toEqual(new Array(16).fill(0));
	});

	it('drops from the attention, at the rate that is asked for', async () => {
		const asked: Array<{ shape: Value['shape']; rate: number }> = [];
		const cross = fixture.attention[2]!;
		await run(cross, 5, (context, input) => {
			const dropout = (x: Value, rate: number): Value => {
				asked.push({ shape: x.shape, rate });
				return x;
			};
			const inputs = { queries: input('queries')!, keys: input('keys')!, mask: input('mask') };
			return attention({ ...context, dropout }, inputs, 'it', { heads: cross.heads, dropout: 0.3 });
		});
		expect(asked).toEqual([{ shape: [5, 2, 2, 4], rate: 0.3 }]);
	});
});

describe('time attention', () => {
	for (const c of fixture.time)
		for (const batch of [c.inputs['values']!.shape[0]!, 'batch'])
			it(`is what the observed steps say, by PyTorch: ${c.title}, batch ${typeof batch === 'number' ? 'of a size' : 'without a size'}`, async () => {
				expectNear(await timed(c, batch), c.output);
			});

	for (const c of fixture.time)
		it(`has the parameters that it reads, in order: ${c.title}`, () => {
			expect(named(timeAttentionParameters('it', c.size))).toEqual(shapes(c.parameters));
		});

	const irregular = fixture.time[0]!;
	for (const name of ['values', 'times'])
		it(`does not look at the ${name} of steps that the mask leaves out`, async () => {
			expectNear(await timed(changedUnderTheMask(irregular, name), 'batch'), irregular.output);
		});

	it('gives exact zeros to a row without any step', async () => {
		const found = await timed(irregular, 'batch');
		expect([...(found.data as Float32Array).subarray(0, 4 * 5)].map(Math.abs)).toEqual(new Array(20).fill(0));
	});
});
