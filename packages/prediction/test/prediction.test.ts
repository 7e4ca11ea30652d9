import type { Prediction, ProblemError, TaskProfile } from '@steelyard/contracts';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import type { DType } from '@steelyard/runtime';
import { tableOf } from '@steelyard/table';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openPredictor, type Predictor, predictCsv, predictJson } from '../src/index.js';

const opened: Predictor[] = [];
afterEach(async () => {
	for (const model of opened.splice(0)) await model.release();
});

/** Opens a graph; `add` gives its outputs by name. */
async function open(add: (g: GraphBuilder) => Record<string, Value>, metadata: Record<string, string> = {}): Promise<Predictor> {
	const g = new GraphBuilder('test/');
	for (const [name, value] of Object.entries(add(g))) g.output(name, value);
	const model = await openPredictor(encodeModel({ graph: g.build('test'), opset: OPSET, metadata }));
	opened.push(model);
	return model;
}

const described = (task: Partial<TaskProfile>, more: Record<string, string> = {}): Record<string, string> => ({
	'steelyard.task': JSON.stringify({ classes: [], outputs: 1, ...task }),
	'steelyard.modalities': '["a","b"]',
	...more,
});

/** A regression that adds up a vector of two numbers and a sequence of three steps of one, each where it is there. */
const sums = () =>
	open(
		(g) => {
			const [a, steps] = [g.input('x.a', 'float32', ['batch', 2]), g.input('x.b', 'float32', ['batch', 3, 1])];
			const [has, marks] = [g.input('mask.a', 'float32', ['batch']), g.input('mask.b', 'float32', ['batch', 3])];
			const column = (value: Value): Value => g.reshape(value, ['batch', 1]);
			const ofA = g.mul(column(g.reduceSum(a, [1], false)), column(has));
			const ofB = column(g.reduceSum(g.mul(g.reshape(steps, ['batch', 3]), marks), [1], false));
			return {
				prediction: g.reshape(g.add(ofA, ofB), ['batch']),
				modality_weights: g.concat([column(has), column(g.reduceSum(marks, [1], false))], 1),
			};
		},
		described({ type: 'regression' }),
	);

/** A graph of one input, whose output `doubled` is twice that. */
const doubling = (shape: (number | string)[], dtype: DType = 'float32') =>
	open((g) => {
		const x = g.input('pixels', dtype, shape);
		return { doubled: g.add(x, x) };
	});

describe('rows of arrays', () => {
	it('are predicted by their modalities, with the weight of each', async () => {
		const model = await sums();
		expect(model.columns).toBeNull();
		expect(await model.predictRows([{ a: [1, 2], b: [[10], [20], [30]] }])).toEqual([{ prediction: 63, weights: { a: 1, b: 3 } }]);
	});

	it('may lack a modality or a step, have fewer steps, and call it as the input is called', async () => {
		const model = await sums();
		const rows = [{ a: null, b: [[10], null, [30]] }, { 'x.a': [1, 2], b: [[5]] }, { a: [0.5, 0.5], b: null }, { b: [] }];
		expect((await model.predictRows(rows)).map(({ prediction }) => prediction)).toEqual([40, 8, 1, 0]);
	});

	it('are predicted alike together and alone, beyond what is predicted at a time', async () => {
		const model = await sums();
		const rows = Array.from({ length: 2500 }, (_, i) => ({ a: [i, 0], b: i % 2 === 0 ? null : [[i]] }));
		const found = await model.predictRows(rows);
		expect(found.map(({ prediction }) => prediction)).toEqual(rows.map((_, i) => (i % 2 === 0 ? i : 2 * i)));
	});

	it.each([
		['a list too long', { a: [1, 2, 3], b: null }, 'rows.1.a: expected a list of 2, found [1,2,3]'],
		['too many steps', { a: [1, 2], b: [[1], [2], [3], [4]] }, 'rows.1.b: expected a list of at most 3, found [[1],[2],[3],[4]]'],
		['a step of another size', { a: null, b: [[1], [1, 2]] }, 'rows.1.b.1: expected a list of 1, found [1,2]'],
		['text', { a: [1, 'x'], b: null }, 'rows.1.a.1: expected a number, found "x"'],
		['nothing inside of a vector', { a: [1, null], b: null }, 'rows.1.a.1: expected a number, found null'],
		['a number beyond float32', { a: [1, 1e39], b: null }, 'rows.1.a.1: expected a number of float32, found 1e+39'],
	])('are refused for %s, with the place', async (_, row, message) => {
		const model = await sums();
		await expect(model.predictRows([{ a: [1, 2], b: null }, row])).rejects.toMatchObject({ code: 'invalid_request', message });
	});

	it('are refused where none has a modality, so that a wrong name is seen', async () => {
		const model = await sums();
		await expect(model.predictRows([{ a: [1, 2], bb: [[1]] }])).rejects.toThrow(
			'rows: expected a field "b", which the model takes, with null where it is missing, found ["a","bb"]',
		);
	});

	it('are refused where the model knows no missing values', async () => {
		const model = await doubling(['batch', 2]);
		await expect(model.predictRows([{ pixels: null }])).rejects.toThrow(
			'rows.0.pixels: expected a value, since the model knows no rows without it',
		);
	});

	it('are no columns', async () => {
		const model = await sums();
		const read = async () => {
			for await (const _ of model.predictTable(tableOf([{ a: 1 }], 'rows')));
		};
		await expect(read()).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('takes arrays') });
	});
});

it('rows of any values are predicted, or refused with their place', async () => {
	const model = await sums();
	const value = fc.oneof(
		fc.jsonValue(),
		fc.array(fc.double(), { minLength: 2, maxLength: 2 }),
		fc.array(fc.array(fc.float(), { maxLength: 2 }), { maxLength: 4 }),
	);
	const row = fc.record({ a: value, b: value }, { requiredKeys: [] });
	await fc.assert(
		fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async (rows) => {
			const found = await model.predictRows(rows).catch((error: ProblemError) => error);
			if (Array.isArray(found)) expect(found).toHaveLength(rows.length);
			else
				expect([found.name, found.code, found.param]).toEqual([
					'ProblemError',
					'invalid_request',
					expect.stringMatching(/^rows(\.\d+\.[ab]|$)/),
				]);
		}),
		{ numRuns: 300 },
	);
});

describe('a graph of the own', () => {
	it('answers with its outputs', async () => {
		const model = await doubling(['batch', 2, 2]);
		expect(
			await model.predictRows([
				{
					pixels: [
						[1, 2],
						[3, 4],
					],
				},
			]),
		).toEqual([
			{
				outputs: {
					doubled: [
						[2, 4],
						[6, 8],
					],
				},
			},
		]);
	});

	it('that takes a fixed number of rows gets as many', async () => {
		const model = await doubling([4, 1]);
		const rows = Array.from({ length: 6 }, (_, i) => ({ pixels: i }));
		expect(await model.predictRows(rows)).toEqual(rows.map(({ pixels }) => ({ outputs: { doubled: [2 * pixels] } })));
	});

	it('whose rows have an axis of any size takes rows of one size', async () => {
		const model = await doubling(['batch', 'steps']);
		expect(await model.predictRows([{ pixels: [1, 2, 3] }])).toEqual([{ outputs: { doubled: [2, 4, 6] } }]);
		await expect(model.predictRows([{ pixels: [1, 2, 3] }, { pixels: [1] }])).rejects.toThrow(
			'rows.1.pixels: expected a list of 3, found [1]',
		);
	});

	it.each<[DType, unknown, unknown]>([
		['int32', 7, 14],
		['int64', '4503599627370497', 9007199254740994],
		['float64', 0.1, 0.2],
	])('takes %s', async (dtype, given, doubled) => {
		const model = await doubling(['batch'], dtype);
		expect(await model.predictRows([{ pixels: given }])).toEqual([{ outputs: { doubled } }]);
	});

	it.each<[DType, unknown, string]>([
		['int32', 1.5, 'expected a whole number, found 1.5'],
		['int32', 2 ** 40, 'expected whole numbers of int32, found "1099511627776"'],
		['float32', '1', 'expected a number, found "1"'],
	])('refuses for %s what it does not hold', async (dtype, given, words) => {
		const model = await doubling(['batch'], dtype);
		await expect(model.predictRows([{ pixels: 0 }, { pixels: given }])).rejects.toThrow(`rows.1.pixels: ${words}`);
	});
});

describe('the answer', () => {
	/** What is said of a row of so many numbers by a model which gives them as `prediction` or `probabilities`. */
	const said = async (
		task: Partial<TaskProfile>,
		outputs: Record<string, readonly number[]>,
		more = {},
	): Promise<Prediction | undefined> => {
		const model = await open(
			(g) => {
				const x = g.input('x.a', 'float32', ['batch', 1]);
				return Object.fromEntries(
					Object.entries(outputs).map(([name, values]) => {
						const row = g.add(g.scale(0, x), g.constant('float32', [1, values.length], values));
						if (name !== 'prediction') return [name, row];
						return [
							name,
							task.type === 'regression'
								? g.reshape(row, ['batch'])
								: g.cast(values.length === 1 ? g.reshape(row, ['batch']) : row, 'int64'),
						];
					}),
				);
			},
			described(task, more),
		);
		return (await model.predictRows([{ a: [1] }]))[0];
	};

	it('names the class, and every probability', async () => {
		const found = await said({ type: 'binary', classes: ['no', 'yes'] }, { prediction: [1], probabilities: [0.25, 0.75] });
		expect(found).toEqual({ prediction: 'yes', probabilities: { no: 0.25, yes: 0.75 } });
	});

	it('numbers classes that have no names', async () => {
		expect(await said({ type: 'multiclass' }, { prediction: [2], probabilities: [0.25, 0.25, 0.5] })).toEqual({
			prediction: '2',
			probabilities: { 0: 0.25, 1: 0.25, 2: 0.5 },
		});
	});

	it('names the labels that apply', async () => {
		const found = await said({ type: 'multilabel', classes: ['fracture', 'effusion', 'nodule'] }, { prediction: [1, 0, 1] });
		expect(found).toEqual({ prediction: ['fracture', 'nodule'] });
	});

	it('has quantiles, weights and divergence where the model gives them', async () => {
		const outputs = { prediction: [3], quantiles: [1, 3, 8], modality_weights: [0.5, 0.75], modality_divergence: [0, 2] };
		expect(await said({ type: 'regression' }, outputs, { 'steelyard.quantiles': '[0.1,0.5,0.9]' })).toEqual({
			prediction: 3,
			quantiles: { '0.1': 1, '0.5': 3, '0.9': 8 },
			weights: { a: 0.5, b: 0.75 },
			divergence: { a: 0, b: 2 },
		});
	});
});

describe('a request', () => {
	const columns = (fields: Record<string, 'number' | 'text'>) =>
		open(
			(g) => {
				const age = g.input('age', 'float64', ['batch']);
				return { prediction: g.cast(g.add(age, age), 'float32') };
			},
			described(
				{ type: 'regression' },
				{
					'steelyard.inputs': JSON.stringify({
						missing: ['', 'NA'],
						columns: Object.entries(fields).map(([column, kind]) => ({
							input: column,
							column,
							kind,
							takes: '',
							decimal: ',',
							day_first: false,
						})),
					}),
				},
			),
		);
	const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

	it('has rows by column, as JSON or csv, which are read as the table was', async () => {
		const model = await columns({ age: 'number' });
		expect(await predictJson(model, bytes('{"rows":[{"age":1.5,"more":[1]},{"age":"2,5"}]}'))).toEqual([
			{ prediction: 3 },
			{ prediction: 5 },
		]);
		expect(await predictCsv(model, bytes('\uFEFFname;age\nA;1,5\nB;2,5\n'))).toEqual([{ prediction: 3 }, { prediction: 5 }]);
	});

	it.each([
		['is no JSON', '{"rows":[', 'invalid_json'],
		['has no rows', '{"rows":[]}', 'invalid_request'],
		['has rows that are no objects', '{"rows":[1]}', 'invalid_request'],
		['has an unknown field', '{"rows":[{"age":1}],"colour":1}', 'invalid_request'],
		['has too many rows', JSON.stringify({ rows: new Array(10_001).fill({ age: 1 }) }), 'invalid_request'],
	])('that %s is refused', async (_, text, code) => {
		await expect(predictJson(await columns({ age: 'number' }), bytes(text))).rejects.toMatchObject({ code });
	});

	it('of csv that has too many rows, lacks a column or is torn is refused', async () => {
		const model = await columns({ age: 'number' });
		await expect(predictCsv(model, bytes(`age\n${'1\n'.repeat(10_001)}`))).rejects.toMatchObject({ code: 'prediction_too_large' });
		await expect(predictCsv(model, bytes('years\n1\n'))).rejects.toThrow('body: expected a column "age", which the model takes');
		await expect(predictCsv(model, bytes('age,b\n"1,2\n'))).rejects.toThrow('no end of the quotes');
	});
});
