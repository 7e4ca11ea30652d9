import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CustomConfig, type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { decodeModel, encodeModel, GraphBuilder, OPSET, parametersOf } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { createSession, tensor } from '@steelyard/runtime';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { arrayDataset, type Npy } from './array-dataset.js';
import { weightingBy } from './weighting-by.js';

const SCALE = { factor: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const SPLITS = { train: 48, test: 24 };
const [SIDE, CHANNELS] = [8, 3];
const PIXELS = CHANNELS * SIDE * SIDE;

/** Images whose one half is brighter where the label is 1, channels first: `[rows, 3, 8, 8]`. */
function images(rows: number): Uint8Array {
	const { uniform } = counterRandom(5, `images/${rows}`);
	return Uint8Array.from({ length: rows * PIXELS }, (_, i) => {
		const isBright = (i % SIDE < SIDE / 2 ? 1 : 0) === Math.floor(i / PIXELS) % 2;
		return Math.floor(120 * uniform()) + (isBright ? 120 : 0);
	});
}

/** (x / 255 − mean) / std as an image library computes it in float32. */
const preScaled = (raw: Uint8Array): Float32Array =>
	Float32Array.from(raw, (value, i) => {
		const channel = Math.floor(i / (SIDE * SIDE)) % CHANNELS;
		const shifted = Math.fround(Math.fround(value * Math.fround(SCALE.factor)) - Math.fround(SCALE.mean[channel] as number));
		return shifted / Math.fround(SCALE.std[channel] as number);
	});

/** `[rows, 3, 8, 8]` as `[rows, 8, 8, 3]`. */
const channelsLast = (raw: Uint8Array): Uint8Array =>
	Uint8Array.from(raw, (_, i) => {
		const [row, pixel, channel] = [Math.floor(i / PIXELS), Math.floor((i % PIXELS) / CHANNELS), i % CHANNELS];
		return raw[row * PIXELS + channel * SIDE * SIDE + pixel] as number;
	});

let root = '';
let made = 0;
const datasets = new Map<string, Awaited<ReturnType<typeof arrayDataset>>>();
const LAST = [SIDE, SIDE, CHANNELS];
const FIRST = [CHANNELS, SIDE, SIDE];
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	const forms: Record<string, [number[], (raw: Uint8Array) => Npy['data']]> = {
		raw: [FIRST, (raw) => raw],
		scaled: [FIRST, preScaled],
		last: [LAST, channelsLast],
		floats: [FIRST, (raw) => Float32Array.from(raw)],
	};
	for (const [name, [shape, of]] of Object.entries(forms)) {
		const arrays = Object.entries(SPLITS).flatMap(
			([split, rows]): Array<[string, Npy]> => [
				[`${split}_image`, { shape: [rows, ...shape], data: of(images(rows)) }],
				[`${split}_age`, { shape: [rows, 1], data: Float32Array.from({ length: rows }, (_, i) => (i % 7) / 7) }],
				[`${split}_labels`, { shape: [rows], data: Int32Array.from({ length: rows }, (_, i) => i % 2) }],
			],
		);
		datasets.set(name, await arrayDataset(Object.fromEntries(arrays)));
	}
});
afterAll(async () => {
	for (const { remove } of datasets.values()) await remove();
	await rm(root, { recursive: true });
});

/** A small convolutional network over images and a number, whose input has the channels first or last. */
function network(axis: 1 | 3): Uint8Array {
	const g = new GraphBuilder();
	const { normal } = counterRandom(2, 'network');
	const weight = (name: string, shape: number[]) => {
		const count = shape.reduce((product, dim) => product * dim, 1);
		return g.initializer(
			name,
			tensor(
				'float32',
				shape,
				Float32Array.from({ length: count }, () => normal() / 4),
			),
		);
	};
	const input = g.input('pixels', 'float32', ['N', ...(axis === 1 ? FIRST : LAST)]);
	const x = axis === 1 ? input : g.transpose(input, [0, 3, 1, 2]);
	const age = g.input('age', 'float32', ['N', 1]);
	const features = g.op('Relu', [g.op('Conv', [x, weight('conv.weight', [4, 3, 3, 3])], {}, { shape: ['N', 4, 6, 6] })]);
	g.node('Identity', [g.reshape(features, ['N', 144])], [{ name: 'of_image', dtype: 'float32', shape: ['N', 144] }]);
	g.node('Identity', [g.matMul(age, weight('age.weight', [1, 4]))], [{ name: 'of_age', dtype: 'float32', shape: ['N', 4] }]);
	const logits = g.add(
		g.matMul(g.value('of_image'), weight('head.weight', [144, 1])),
		g.matMul(g.value('of_age'), weight('head.age', [4, 1])),
	);
	g.output('logits', logits);
	return encodeModel({ graph: g.build('images'), opset: OPSET });
}

type Job = { model?: Partial<CustomConfig>; bytes?: Uint8Array; preset?: 'uniform' | 'btw' };

async function job(dataset: string, { model = {}, bytes = network(1), preset = 'uniform' }: Job = {}) {
	const output = join(root, `job-${made++}`);
	await mkdir(output);
	await writeFile(`${output}.onnx`, bytes);
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: {
			...{ family: 'custom', model: 'mdl_1', inputs: { image: 'pixels', age: 'age' }, output: 'logits' },
			...{ embeddings: { image: 'of_image', age: 'of_age' }, ...model },
		},
		training: { epochs: 4, batch_size: 16, optimizer: { learning_rate: 0.01 } },
		weighting: weightingBy(preset, 2),
	});
	const losses: number[] = [];
	const emit = (event: JobEventBody) => void (event.type === 'epoch' && losses.push(event.train_loss));
	const { folder } = datasets.get(dataset)!;
	const outcome = await train({ spec, model: `${output}.onnx`, dataset: folder, output, emit, stopped: () => false });
	if (outcome.status !== 'done') throw new Error('stopped');
	const explanation = await readFile(join(output, 'explanation.parquet'));
	return {
		losses,
		metrics: outcome.result.metrics,
		trained: await readFile(join(output, 'model.onnx')),
		rows: await parquetReadObjects({ file: new Uint8Array(explanation).buffer }),
	};
}

/** Equal numbers but for 1e-6 of them. */
function near(found: readonly number[], wanted: readonly number[]): void {
	expect(found.length).toBe(wanted.length);
	for (const [i, value] of wanted.entries())
		expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(1e-6 * Math.max(Math.abs(value), 1e-3));
}
const figures = (metrics: Record<string, Record<string, number | null>>): number[] =>
	Object.values(metrics).flatMap((split) => Object.values(split).map(Number));

/** The probability of label 1 that a trained file gives for each image of the test split, from raw pixels. */
async function chancesOf(trained: Uint8Array): Promise<number[]> {
	const count = SPLITS.test;
	const ages = Float32Array.from({ length: count }, (_, i) => (i % 7) / 7);
	const session = await createSession(trained);
	const { logits } = await session.run({
		pixels: tensor('uint8', [count, ...FIRST], images(count)),
		age: tensor('float32', [count, 1], ages),
	});
	await session.release();
	return Array.from(logits!.data as Float32Array, (logit) => 1 / (1 + Math.exp(-logit)));
}
const crossEntropy = (chances: readonly number[]): number =>
	chances.reduce((sum, chance, i) => sum - Math.log(i % 2 === 1 ? chance : 1 - chance), 0) / chances.length;

describe('an uploaded graph whose input a job scales', () => {
	for (const preset of ['uniform', 'btw'] as const)
		it(`is trained on raw pixels as it is on scaled ones: ${preset}`, async () => {
			const raw = await job('raw', { model: { scale: { image: SCALE } }, preset });
			const scaled = await job('scaled', { preset });
			near(raw.losses, scaled.losses);
			near(figures(raw.metrics), figures(scaled.metrics));
			expect(raw.metrics['test']!['loss']).toBeLessThan(0.5);
			const inputs = decodeModel(raw.trained).graph.inputs.filter(({ shape }) => shape.length === 4);
			expect(inputs).toMatchObject([{ dtype: 'uint8', shape: [expect.any(String), 3, 8, 8] }]);
		});

	it('takes raw pixels also where the channels are last, and scales whole floats', async () => {
		const first = await job('raw', { model: { scale: { image: SCALE } } });
		const last = await job('last', { model: { scale: { image: { ...SCALE, axis: 3 } } }, bytes: network(3) });
		const floats = await job('floats', { model: { scale: { image: SCALE } } });
		near(last.losses, first.losses);
		near(floats.losses, first.losses);
		expect(decodeModel(floats.trained).graph.inputs[0]).toMatchObject({ name: 'pixels', dtype: 'float32' });
	});

	it('gives the predictions of the job from raw pixels, and its numbers are not trained where it is uploaded again', async () => {
		const { trained, rows, metrics } = await job('raw', { model: { scale: { image: SCALE } } });
		const chances = await chancesOf(trained);
		const ofTest = rows.filter((row) => row['split'] === 'test');
		expect(ofTest.map((row) => row['prediction'])).toEqual(chances.map((chance) => (chance > 0.5 ? 1 : 0)));
		for (const [i, row] of ofTest.entries())
			expect(row['probability']).toBeCloseTo(Math.max(chances[i] as number, 1 - (chances[i] as number)), 5);
		expect(metrics['test']!['loss']).toBeCloseTo(crossEntropy(chances), 5);
		const kinds = parametersOf(decodeModel(trained)).map(({ name, trainable }) => [name, trainable]);
		expect(Object.fromEntries(kinds)).toMatchObject({
			'steelyard/scale/pixels.factor': false,
			'steelyard/scale/pixels.mean': false,
			'steelyard/scale/pixels.std': false,
			'conv.weight': true,
		});
	});

	it('of float16 comes back in float32, with the figures of the job', async () => {
		const g = new GraphBuilder();
		const x = g.reshape(g.input('pixels', 'float16', ['N', ...FIRST]), ['N', PIXELS]);
		const age = g.cast(g.input('age', 'float32', ['N', 1]), 'float16');
		const weights = Array.from({ length: PIXELS + 1 }, (_, i) => ((i * 7) % 11) / 400 - 0.0125);
		const w = g.initializer('w', tensor('float16', [PIXELS + 1, 1], weights));
		g.output('logits', g.cast(g.matMul(g.concat([x, age], 1), w), 'float32'));
		const bytes = encodeModel({ graph: g.build('half'), opset: OPSET });
		const { trained, metrics } = await job('raw', { bytes, model: { scale: { image: SCALE } } });
		expect(decodeModel(trained).graph.initializers.get('w')!.dtype).toBe('float32');
		expect(metrics['test']!['loss']).toBeCloseTo(crossEntropy(await chancesOf(trained)), 5);
	});

	it('is refused where it scales already', async () => {
		const { trained } = await job('floats', { model: { scale: { image: SCALE } } });
		await expect(job('floats', { bytes: trained, model: { scale: { image: SCALE } } })).rejects.toMatchObject({
			code: 'invalid_model',
			param: 'model.scale.image',
			message: expect.stringMatching(/scales its input "pixels" already/),
		});
	});
});
