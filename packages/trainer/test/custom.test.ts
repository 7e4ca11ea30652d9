import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CustomConfig, type JobEventBody, type MlpFusionConfig, parseJobSpec } from '@steelyard/contracts';
import { inference } from '@steelyard/family';
import { mlpFusion } from '@steelyard/mlp-fusion';
import { decodeModel, encodeModel, GraphBuilder, HALVES, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customArchitecture } from '../src/custom/custom-architecture.js';
import { readGraphFile } from '../src/custom/graph-file.js';
import { openUploaded } from '../src/custom/uploaded.js';
import { decodeSafetensors } from '../src/job/safetensors.js';
import { train } from '../src/job/train.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { byteSource } from './byte-source.js';
import { smallDataset } from './small-dataset.js';
import { stepOf } from './training-steps.js';
import { weightingBy } from './weighting-by.js';

const kinds = ['binary', 'multiclass', 'multilabel', 'regression'] as const;
type Kind = (typeof kinds)[number];
const datasets = new Map<string, Awaited<ReturnType<typeof smallDataset>>>();
let root = '';
let files = 0;
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	for (const kind of kinds) datasets.set(kind, await smallDataset(kind));
});
afterAll(async () => {
	for (const { remove } of datasets.values()) await remove();
	await rm(root, { recursive: true });
});

const config: MlpFusionConfig = { family: 'mlp-fusion', hidden: 8, encoder_layers: 2, head_layers: 2 };
const shapes = { a: [6], c: [2] } as const;
const outputsOf = (kind: Kind): number => (kind === 'multiclass' || kind === 'multilabel' ? 3 : 1);

/** `regular`: every embedding is normalised over the batch, and dropped from. `head`: one logit as `[batch]`, one per class of a binary task, or probabilities. */
type GraphOptions = {
	batch?: number | string;
	weights?: boolean;
	seed?: number;
	regular?: boolean;
	opset?: number;
	head?: 'vector' | 'pair' | 'probabilities';
};

function regularised(g: GraphBuilder, x: Value, name: string): Value {
	const width = x.shape[1] as number;
	const norm = Object.entries({ scale: 1, shift: 0, running_mean: 0, running_var: 1 }).map(([part, value]) =>
		g.initializer(`norm.${name}.${part}`, tensor('float32', [width], new Float32Array(width).fill(value))),
	);
	return g.op('Dropout', [g.op('BatchNormalization', [x, ...norm]), g.scalar(0.2), g.constant('bool', [], [1])]);
}

/** The network of `mlp-fusion` over `a` and `c` as a graph that a user could have exported; its parameters are those that the family begins with. */
function network(
	kind: Kind,
	{ batch = 'N', weights = false, seed = 1, regular = false, opset = OPSET, head }: GraphOptions = {},
): Uint8Array {
	const modalities = Object.entries(shapes).map(([name, shape]) => ({ name, shape, maskedSteps: false }));
	const family = familyArchitecture({ config, modalities, outputs: head === 'pair' ? 2 : outputsOf(kind) });
	const initial = family.initial(seed, 0);
	const g = new GraphBuilder();
	const parameters = new Map(
		family.parameters.map(({ name, shape }) => [name, g.initializer(name, tensor('float32', shape, initial.get(name)!))]),
	);
	const context = inference(g, (name) => parameters.get(name)!);
	const embeddings = modalities.map((modality) => {
		const x = g.input(`in_${modality.name}`, 'float32', [batch, ...modality.shape]);
		const encoded = mlpFusion.encode(context, config, modality, { x, mask: null });
		const embedding = regular ? regularised(g, encoded, modality.name) : encoded;
		g.node('Identity', [embedding], [{ ...embedding, name: `embedding_${modality.name}` }]);
		const named = g.value(`embedding_${modality.name}`);
		const weight = weights ? g.input(`w.${modality.name}`, 'float32', [batch, 1]) : g.scalar(1);
		return { modality, embedding: weights ? g.mul(named, weight) : named, weight, present: g.scalar(1) };
	});
	const { logits } = mlpFusion.fuse(context, config, embeddings);
	const heads = {
		vector: () => g.reshape(logits, [batch]),
		pair: () => logits,
		probabilities: () => (kind === 'multiclass' ? g.op('Softmax', [logits], { axis: 1 }) : g.op('Sigmoid', [logits])),
	};
	g.output('logits', head === undefined ? logits : heads[head]());
	return encodeModel({ graph: g.build('network'), opset });
}

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

type Run = { model?: Partial<CustomConfig>; more?: object; training?: object; stopAfter?: number; earlier?: string[] };

async function run(kind: Kind, bytes: Uint8Array, { model = {}, more = {}, training = {}, stopAfter, earlier = [] }: Run = {}) {
	const output = join(root, String(files++));
	const file = `${output}.onnx`;
	await writeFile(file, bytes);
	await mkdir(output);
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: { family: 'custom', model: 'mdl_1', inputs: { a: 'in_a', c: 'in_c' }, output: 'logits', ...model },
		training: { epochs: 4, batch_size: 16, optimizer: { learning_rate: 0.01 }, ...training },
		...more,
	});
	const events: JobEventBody[] = [];
	let chunks = 0;
	const emit = (event: JobEventBody) => {
		events.push(event);
		if (event.type === 'progress') chunks++;
	};
	const stopped = () => chunks >= (stopAfter ?? Number.POSITIVE_INFINITY);
	const outcome = await train({ spec, model: file, dataset: datasets.get(kind)!.folder, output, earlier, emit, stopped });
	return { outcome, events, output, trained: () => readFile(join(output, 'model.onnx')) };
}

async function runFamily(kind: Kind) {
	const output = await mkdtemp(join(root, 'family-'));
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: config,
		modalities: ['a', 'c'],
		training: { epochs: 4, batch_size: 16, optimizer: { learning_rate: 0.01 }, standardize: false },
	});
	const events: JobEventBody[] = [];
	const emit = (event: JobEventBody) => events.push(event);
	const outcome = await train({ spec, dataset: datasets.get(kind)!.folder, output, emit, stopped: () => false });
	return { outcome, events };
}

const epochsOf = (events: readonly JobEventBody[]) => events.flatMap((event) => (event.type === 'epoch' ? [event] : []));
const initializers = (bytes: Uint8Array): ReadonlyMap<string, Tensor> => decodeModel(bytes).graph.initializers;

describe('an uploaded graph', () => {
	for (const kind of ['binary', 'multiclass', 'multilabel'] as const)
		it(`trains as the same network of a built-in family does: ${kind}`, async () => {
			const [custom, family] = [await run(kind, network(kind, { weights: true })), await runFamily(kind)];
			const [ours, theirs] = [epochsOf(custom.events), epochsOf(family.events)];
			expect(ours.map(({ train_loss }) => train_loss).length).toBe(4);
			ours.forEach((epoch, i) => {
				expect(Math.abs(epoch.train_loss - theirs[i]!.train_loss)).toBeLessThan(1e-6);
				expect(Math.abs(epoch.validation['loss']! - theirs[i]!.validation['loss']!)).toBeLessThan(1e-6);
			});
			if (custom.outcome.status !== 'done' || family.outcome.status !== 'done') throw new Error('stopped');
			expect(custom.outcome.result.metrics['test']!['loss']).toBeCloseTo(family.outcome.result.metrics['test']!['loss']!, 5);
			expect(custom.outcome.result.parameters).toBe(family.outcome.result.parameters);
		});

	it('with weights of float16 is trained in float32, and has them in float16 again', async () => {
		const layer = (dtype: 'float16' | 'float32'): Uint8Array => {
			const g = new GraphBuilder();
			const x = g.concat([g.input('in_a', 'float32', ['N', 6]), g.input('in_c', 'float32', ['N', 2])], 1);
			const w = g.initializer('w', tensor(dtype, [8, 1], [0.5, -1, 0.25, 0.125, 1, -0.5, 2, 0.0625]));
			g.output('logits', g.cast(g.matMul(g.cast(x, dtype), w), 'float32'));
			return encodeModel({ graph: g.build('layer'), opset: OPSET });
		};
		const [half, float] = [await run('binary', layer('float16')), await run('binary', layer('float32'))];
		expect(initializers(await half.trained()).get('w')!.dtype).toBe('float16');
		const rounded = decodeModel(await half.trained(), { widen: HALVES }).graph.initializers.get('w')!.data;
		const exact = initializers(await float.trained()).get('w')!.data as Float32Array;
		// a float16 keeps 11 bits
		exact.forEach((value, i) => expect(Math.abs(Number(rounded[i]) - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11));
		expect(exact.some((value, i) => value !== rounded[i])).toBe(true);
	});

	it('comes back as it was, but for the numbers of its parameters', async () => {
		const before = network('multiclass');
		const { trained, outcome } = await run('multiclass', before);
		const after = await trained();
		const [one, two] = [decodeModel(before), decodeModel(after)];
		expect(two.graph.nodes).toEqual(one.graph.nodes);
		expect([...two.graph.initializers.keys()]).toEqual([...one.graph.initializers.keys()]);
		expect(two.graph.initializers.get('head.0.weight')!.data).not.toEqual(one.graph.initializers.get('head.0.weight')!.data);
		expect(outcome).toMatchObject({
			status: 'done',
			artifacts: [
				'model.onnx',
				'report.json',
				'metrics.json',
				'calibration.json',
				'explanation.parquet',
				'explanation.json',
				'diagnostics.json',
				'evaluation.json',
				'robustness.json',
				'report.md',
				'training-state.safetensors',
			],
		});
	});

	it('learns, and reports what the graph that is downloaded gives', async () => {
		for (const kind of kinds) {
			const { outcome, events, trained } = await run(kind, network(kind), { training: { epochs: kind === 'regression' ? 150 : 25 } });
			if (outcome.status !== 'done') throw new Error('stopped');
			const { metrics, best_epoch, modality_weights } = outcome.result;
			if (kind === 'regression') expect(metrics['test']!['pearson']).toBeGreaterThan(0.7);
			else expect(metrics['test']!['accuracy']).toBeGreaterThan(0.7);
			const best = epochsOf(events).find(({ epoch }) => epoch === best_epoch)!;
			for (const [name, value] of Object.entries(best.validation)) expect(metrics['validation']![name], name).toBeCloseTo(value!, 4);
			expect(modality_weights['a']).toEqual({ mean: 1, p10: 1, p90: 1, mutual_information: null });
			const session = await createSession(await trained());
			const one = await session.run({ in_a: tensor('float32', [1, 6], new Float32Array(6)), in_c: tensor('float32', [1, 2], [0, 0]) });
			expect(one['logits']!.shape).toEqual([1, outputsOf(kind)]);
			await session.release();
		}
	});

	for (const [kind, head] of [
		['binary', 'vector'],
		['binary', 'pair'],
		['regression', 'vector'],
	] as const)
		for (const preset of ['uniform', 'btw'] as const)
			it(`has its figures from the ${head} that it gives for ${kind}, with ${preset}`, async () => {
				const { outcome, events, output, trained } = await run(kind, network(kind, { head, weights: preset === 'btw' }), {
					more: { weighting: weightingBy(preset, 2) },
					training: { epochs: 25 },
				});
				if (outcome.status !== 'done') throw new Error('stopped');
				const { metrics, best_epoch } = outcome.result;
				if (kind === 'binary') expect(metrics['test']!['accuracy']).toBeGreaterThan(0.7);
				const best = epochsOf(events).find(({ epoch, stage }) => stage === 'fusion' && epoch === best_epoch)!;
				for (const [name, value] of Object.entries(best.validation)) expect(metrics['validation']![name], name).toBeCloseTo(value!, 4);
				const own = preset === 'uniform' ? await trained() : await readFile(join(output, 'graph.onnx'));
				expect(decodeModel(own).graph.outputs).toMatchObject([{ name: 'logits', shape: head === 'pair' ? ['N', 2] : ['N'] }]);
			});

	for (const kind of ['binary', 'multiclass', 'multilabel'] as const)
		it(`that gives probabilities trains as the one that gives their logits, and gives them on: ${kind}`, async () => {
			const longer = { optimizer: { learning_rate: 0.3 }, epochs: 8, early_stopping: null };
			const [logits, probabilities] = [
				await run(kind, network(kind), { training: longer }),
				await run(kind, network(kind, { head: 'probabilities' }), { training: longer }),
			];
			if (logits.outcome.status !== 'done' || probabilities.outcome.status !== 'done') throw new Error('stopped');
			const operator = kind === 'multiclass' ? 'Softmax' : 'Sigmoid';
			expect(logits.outcome.result.loss).toBe('cross_entropy');
			expect(probabilities.outcome.result.loss).toBe(`cross_entropy of the logits before the ${operator} of the output "logits"`);
			expect(epochsOf(probabilities.events)).toEqual(epochsOf(logits.events));
			expect(probabilities.outcome.result.metrics).toEqual(logits.outcome.result.metrics);
			const session = await createSession(await probabilities.trained());
			const one = await session.run({ in_a: tensor('float32', [1, 6], new Float32Array(6)), in_c: tensor('float32', [1, 2], [0, 0]) });
			expect(one['logits']!.data.every((value) => Number(value) >= 0 && Number(value) <= 1)).toBe(true);
			expect(Object.keys(one)).toEqual(['logits']);
			await session.release();
		});

	it.each([
		['regression', { name: 'huber', delta: 2 }, 'huber (delta 2)'],
		['regression', 'mae', 'mae'],
		['multiclass', { name: 'focal' }, 'focal (gamma 2)'],
		['binary', { name: 'focal', gamma: 1, alpha: 0.25 }, 'focal (gamma 1, alpha 0.25)'],
		['multilabel', { name: 'cross_entropy', label_smoothing: 0.1 }, 'cross_entropy (label_smoothing 0.1)'],
	] as const)('is trained, validated and judged by the loss of the job: %s by %j', async (kind, loss, text) => {
		// one step an epoch that changes next to nothing: the loss of training is that of the parameters that are judged
		const training = { loss, epochs: 1, batch_size: 90, optimizer: { name: 'sgd', learning_rate: 1e-9 } };
		const { outcome, events } = await run(kind, network(kind), { training });
		if (outcome.status !== 'done') throw new Error('stopped');
		const { metrics, loss: named } = outcome.result;
		expect(named).toBe(text);
		const [epoch] = epochsOf(events);
		expect(metrics['train']!['loss']! / epoch!.train_loss).toBeCloseTo(1, 5);
		expect(metrics['validation']!['loss']! / epoch!.validation['loss']!).toBeCloseTo(1, 5);
	});

	it('trains to the same bits where values of the forward pass are made again', async () => {
		const files = [];
		for (const recompute of ['none', 'segments'])
			files.push(await (await run('multiclass', network('multiclass'), { training: { recompute } })).trained());
		expect(files[1]).toEqual(files[0]);
	});

	it('trains what globs name, and leaves the rest to the bit', async () => {
		const before = network('binary');
		const { trained, outcome } = await run('binary', before, { model: { trainable: ['head.*', 'encoder.c.*'], frozen: ['*.bias'] } });
		if (outcome.status !== 'done') throw new Error('stopped');
		const changed = [...initializers(before).keys()].filter((name) => /^(head|encoder\.c).*weight$/.test(name));
		const { trained_names: names, kept, kept_names: keptNames } = outcome.result.initializers!;
		expect([...names].sort()).toEqual(changed.sort());
		expect(kept).toBe(initializers(before).size - changed.length);
		expect(keptNames).toHaveLength(kept);
		const [one, two] = [initializers(before), initializers(await trained())];
		for (const [name, value] of one) {
			if (value.dtype !== 'float32') continue;
			const moved = (name.startsWith('head.') || name.startsWith('encoder.c.')) && !name.endsWith('.bias');
			expect(sha(bytesOf(two.get(name)!)) !== sha(bytesOf(value)), name).toBe(moved);
		}
	});

	it('with low-rank updates comes back with them in its matrices, and apart', async () => {
		const before = network('multiclass');
		const { outcome, output, trained, events } = await run('multiclass', before, {
			model: { lora: { match: ['head.*', 'encoder.a.*'], rank: 2, alpha: 3 } },
			training: { epochs: 8 },
		});
		if (outcome.status !== 'done') throw new Error('stopped');
		expect(outcome.artifacts).toContain('adapters.safetensors');
		const { tensors, metadata } = decodeSafetensors(byteSource(await readFile(join(output, 'adapters.safetensors'))));
		expect(metadata).toEqual({ rank: '2', alpha: '3' });
		const [one, two] = [initializers(before), initializers(await trained())];
		expect([...two.keys()]).toEqual([...one.keys()]);
		expect(outcome.result.initializers?.trained_names).toEqual([...one.keys()].filter((name) => /^(head|encoder\.a).*weight$/.test(name)));
		const adapted = [...one.keys()].filter((name) => /^(head|encoder\.a).*weight$/.test(name));
		expect([...tensors.keys()]).toEqual(adapted.flatMap((name) => [`${name}.lora_A`, `${name}.lora_B`]));
		for (const [name, { data, shape }] of one) {
			if (!adapted.includes(name)) {
				expect(two.get(name)!.data, name).toEqual(data);
				continue;
			}
			const [A, B] = ['A', 'B'].map((part) => tensors.get(`${name}.lora_${part}`)!.data as Float32Array) as [Float32Array, Float32Array];
			expect(B.some((value) => value !== 0)).toBe(true);
			const columns = shape[1]!;
			(two.get(name)!.data as Float32Array).forEach((value, at) => {
				const [row, column] = [Math.floor(at / columns), at % columns];
				const product = A[row * 2]! * B[column]! + A[row * 2 + 1]! * B[columns + column]!;
				expect(value).toBeCloseTo(Number(data[at]) + 1.5 * product, 6);
			});
		}
		const best = epochsOf(events).find(({ epoch }) => epoch === outcome.result.best_epoch)!;
		for (const [name, value] of Object.entries(best.validation))
			expect(outcome.result.metrics['validation']![name], name).toBeCloseTo(value!, 4);
		expect(outcome.result.parameters).toBe([...tensors.values()].reduce((sum, { data }) => sum + data.length, 0));
	});

	it('has backward nodes for what is trained alone', async () => {
		const products = async (trainable: string[]): Promise<number> => {
			const file = join(root, 'frozen.onnx');
			await writeFile(file, network('binary'));
			const modalities = Object.entries(shapes).map(([name, shape]) => ({ name, shape, maskedSteps: false }));
			const task = { type: 'binary' as const, classes: ['0', '1'], outputs: 1 };
			const own: CustomConfig = {
				family: 'custom',
				model: 'mdl_1',
				inputs: { a: 'in_a', c: 'in_c' },
				output: 'logits',
				batch_norm: 'train',
				trainable,
			};
			const architecture = customArchitecture(
				await openUploaded(await readGraphFile(file), own, { modalities, dataset: { task, modalities: {} }, weighted: false, batch: 8 }),
				modalities,
				modalities,
			);
			const { graph } = await stepOf({ architecture, batch: 4, loss: 'binary_cross_entropy', optimizer: { name: 'sgd' } });
			return graph.nodes.filter(({ op }) => op === 'Gemm' || op === 'MatMul').length;
		};
		// of each layer the gradients of its weight and of its bias, and its input's where something before it is trained
		const [last, head, all] = [await products(['head.1.*']), await products(['head.*']), await products(['*'])];
		expect(head - last).toBe(3);
		expect(all - head).toBe(1 + 2 * (3 + 2));
	});

	for (const kind of kinds)
		for (const preset of ['mi', 'btw-kl', 'btw'] as const)
			for (const weights of [true, false])
				it(`is weighed by ${preset} for ${kind}, by ${weights ? 'its inputs' : 'the values that the spec names'}`, async () => {
					const embeddings = { a: 'embedding_a', c: 'embedding_c' };
					const { outcome, events, output, trained } = await run(kind, network(kind, { weights }), {
						model: weights ? {} : { embeddings },
						more: { weighting: { ...weightingBy(preset, 2), guard: false } },
						training: { epochs: 6 },
					});
					if (outcome.status !== 'done') throw new Error('stopped');
					const { metrics, best_epoch, unimodal } = outcome.result;
					expect(outcome.artifacts.slice(0, 2)).toEqual(['model.onnx', 'graph.onnx']);
					expect(Object.keys(unimodal)).toEqual(['a', 'c']);
					// c is noise: a model of it alone knows nothing, unless a leaks into it
					if (kind === 'binary') expect(unimodal['c']!['train']!['auroc']! + 0.15).toBeLessThan(unimodal['a']!['train']!['auroc']!);
					const best = epochsOf(events).find(({ epoch, stage }) => stage === 'fusion' && epoch === best_epoch)!;
					for (const [name, value] of Object.entries(best.validation)) expect(metrics['validation']![name], name).toBeCloseTo(value!, 4);
					const { graph, metadata } = decodeModel(await trained());
					expect(graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([
						['x.a', ['batch', 6]],
						['x.c', ['batch', 2]],
						['mask.c', ['batch']],
					]);
					expect(graph.outputs.map(({ name }) => name)).toEqual([
						'prediction',
						...(kind === 'regression' ? [] : ['probabilities', 'logits']),
						'modality_weights',
						...(preset === 'mi' ? [] : ['modality_divergence']),
					]);
					expect(metadata!['steelyard.spec']).not.toContain('mdl_1');
					const own = decodeModel(await readFile(join(output, 'graph.onnx')));
					expect(own.graph.nodes).toEqual(decodeModel(network(kind, { weights })).graph.nodes);
				});

	it('goes on from its checkpoint to the same bytes, wherever it was stopped', async () => {
		const options: Run = {
			model: { embeddings: { a: 'embedding_a', c: 'embedding_c' } },
			more: { weighting: { preset: 'btw', refresh_epochs: 2 } },
		};
		const bytes = network('multiclass');
		const whole = await run('multiclass', bytes, options);
		for (const stopAfter of [1, 6, 10]) {
			const first = await run('multiclass', bytes, { ...options, stopAfter });
			expect(first.outcome.status).toBe('stopped');
			const second = await run('multiclass', bytes, { ...options, earlier: [first.output] });
			const stepsOf = ({ events }: typeof first) =>
				events.flatMap((event) => (event.type === 'progress' ? [`${event.model} ${event.step}`] : []));
			for (const step of stepsOf(first)) expect(stepsOf(second)).not.toContain(step);
			expect(sha(await second.trained())).toBe(sha(await whole.trained()));
		}
		const [first, other] = [await run('multiclass', bytes, { ...options, stopAfter: 6 }), network('multiclass', { seed: 2 })];
		const [resumed, fresh] = [
			await run('multiclass', other, { ...options, earlier: [first.output] }),
			await run('multiclass', other, options),
		];
		expect(sha(await resumed.trained())).toBe(sha(await fresh.trained()));
	});

	for (const preset of ['uniform', 'btw'] as const)
		it(`with batch normalisation and dropout learns, resumes to the same bytes, and predicts with neither: ${preset}`, async () => {
			const bytes = network('binary', { regular: true });
			const options: Run = {
				model: { embeddings: { a: 'embedding_a', c: 'embedding_c' } },
				more: { weighting: weightingBy(preset, 3) },
				training: { epochs: 20 },
			};
			const whole = await run('binary', bytes, options);
			if (whole.outcome.status !== 'done') throw new Error('stopped');
			const { metrics, best_epoch } = whole.outcome.result;
			expect(metrics['test']!['accuracy']).toBeGreaterThan(0.7);
			const best = epochsOf(whole.events).find(({ epoch, stage }) => stage === 'fusion' && epoch === best_epoch)!;
			for (const [name, value] of Object.entries(best.validation)) expect(metrics['validation']![name], name).toBeCloseTo(value!, 4);
			const own = preset === 'uniform' ? await whole.trained() : await readFile(join(whole.output, 'graph.onnx'));
			const moved = initializers(own).get('norm.a.running_mean')!.data as Float32Array;
			expect(moved.every((value) => value !== 0)).toBe(true);
			const first = await run('binary', bytes, { ...options, stopAfter: 7 });
			expect(first.outcome.status).toBe('stopped');
			const second = await run('binary', bytes, { ...options, earlier: [first.output] });
			expect(sha(await second.trained())).toBe(sha(await whole.trained()));
		});

	it('keeps running statistics to the bit where the spec freezes batch normalisation', async () => {
		const before = network('binary', { regular: true });
		const { trained } = await run('binary', before, { model: { batch_norm: 'frozen' } });
		const [one, two] = [initializers(before), initializers(await trained())];
		for (const part of ['running_mean', 'running_var']) expect(two.get(`norm.a.${part}`)!.data).toEqual(one.get(`norm.a.${part}`)!.data);
		expect(two.get('norm.a.scale')!.data).not.toEqual(one.get('norm.a.scale')!.data);
	});

	for (const opset of [13, 17, 21, 23])
		it(`of operator set ${opset} is trained and weighed as one of ${OPSET} is`, async () => {
			const losses = async (bytes: Uint8Array): Promise<number[]> => {
				const { outcome, trained } = await run('multiclass', bytes, { more: { weighting: { preset: 'btw', refresh_epochs: 2 } } });
				if (outcome.status !== 'done') throw new Error('stopped');
				expect(decodeModel(await trained()).opset).toBe(Math.max(opset, OPSET));
				return Object.values(outcome.result.metrics).map((metrics) => metrics['loss']!);
			};
			const [own, working] = [
				await losses(network('multiclass', { weights: true, opset })),
				await run('multiclass', network('multiclass', { weights: true }), { more: { weighting: { preset: 'btw', refresh_epochs: 2 } } }),
			];
			if (working.outcome.status !== 'done') throw new Error('stopped');
			Object.values(working.outcome.result.metrics).forEach((metrics, i) => expect(own[i]).toBeCloseTo(metrics['loss']!, 5));
		});

	it('takes masks of rows and of steps, by the type that its input has, and sequences of the length that the dataset has', async () => {
		for (const preset of ['uniform', 'btw'] as const) {
			const g = new GraphBuilder();
			const x = g.input('in_b', 'float32', ['N', 'T', 2]);
			const steps = g.input('steps_b', 'float32', ['N', 'T']);
			const c = g.input('in_c', 'float32', ['N', 2]);
			const there = g.input('there_c', 'int64', ['N']);
			const weight = (name: string) => g.initializer(name, tensor('float32', [2, 1], [0.3, -0.2]));
			const scores = g.mul(g.matMul(x, weight('head.b')), g.op('Unsqueeze', [steps, g.ints([2])], {}, { shape: ['N', 'T', 1] }));
			const b = { ...g.reduce('ReduceSum', scores, [1], false), shape: ['N', 1] };
			const present = g.op('Unsqueeze', [g.op('Cast', [there], { to: 1 }, { dtype: 'float32' }), g.ints([1])], {}, { shape: ['N', 1] });
			const other = g.mul(g.matMul(c, weight('head.c')), present);
			g.output('logits', g.add(g.op('Tanh', [b]), g.op('Tanh', [other])));
			const { outcome, events } = await run('binary', encodeModel({ graph: g.build('masked'), opset: OPSET }), {
				model: {
					inputs: { b: 'in_b', c: 'in_c' },
					masks: { b: 'steps_b', c: 'there_c' },
					embeddings: { b: b.name, c: other.name },
				},
				more: { weighting: weightingBy(preset, 2) },
			});
			if (outcome.status !== 'done') throw new Error('stopped');
			const best = epochsOf(events).find(({ epoch, stage }) => stage === 'fusion' && epoch === outcome.result.best_epoch)!;
			for (const [name, value] of Object.entries(best.validation))
				expect(outcome.result.metrics['validation']![name], name).toBeCloseTo(value!, 4);
		}
	});

	it('never sees a row of zeros in the place of one that is missing from the last batch', async () => {
		const g = new GraphBuilder();
		const x = g.input('in_a', 'float32', ['N', 6]);
		const norm = g.reduce('ReduceL2', x, [1]); // 0/0 for a row of zeros
		const w = g.initializer('w', tensor('float32', [6, 1], new Float32Array(6).fill(0.1)));
		g.output('logits', g.matMul(g.div(x, norm), w));
		const { outcome } = await run('binary', encodeModel({ graph: g.build('unit'), opset: OPSET }), { model: { inputs: { a: 'in_a' } } });
		expect(outcome.status).toBe('done'); // 90 rows in batches of 16
	});

	it('may hold bodies that read what is around them, weighed as all others are', async () => {
		const body = new GraphBuilder('body/');
		const h = body.input('body_h', 'float32', ['N', 4]);
		const step = body.input('body_x', 'float32', ['N', 2]);
		const captured = (name: string, shape: number[]): Value => ({ name, dtype: 'float32', shape });
		const sum = body.add(body.matMul(step, captured('scan.in', [2, 4])), body.matMul(h, captured('scan.back', [4, 4])));
		const next = body.op('Tanh', [sum]);
		body.output('body_next', next);
		const g = new GraphBuilder();
		const x = g.input('in_b', 'float32', ['N', 3, 2]);
		const a = g.input('in_a', 'float32', ['N', 6]);
		const parameter = (name: string, shape: number[]) =>
			g.initializer(
				name,
				tensor(
					'float32',
					shape,
					Float32Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => ((i * 37 + name.length) % 11) / 11 - 0.45),
				),
			);
		parameter('scan.in', [2, 4]);
		parameter('scan.back', [4, 4]);
		const first = g.scale(0, g.matMul(g.reduceSum(x, [1], false), parameter('start', [2, 4])));
		const last: Value = { name: 'embedding_b', dtype: 'float32', shape: ['N', 4] };
		g.node('Scan', [first, g.transpose(x, [1, 0, 2])], [last], { body: { type: 'graph', value: body.build('body') }, num_scan_inputs: 1 });
		const other = g.op('Tanh', [g.matMul(a, parameter('a', [6, 4]))]);
		g.output('logits', g.matMul(g.concat([last, other], 1), parameter('head', [8, 1])));
		const before = encodeModel({ graph: g.build('scan'), opset: OPSET });
		for (const preset of ['uniform', 'btw'] as const) {
			const { outcome, events, output, trained } = await run('binary', before, {
				model: { inputs: { b: 'in_b', a: 'in_a' }, embeddings: { b: last.name, a: other.name } },
				more: { weighting: weightingBy(preset, 2) },
			});
			if (outcome.status !== 'done') throw new Error('stopped');
			const best = epochsOf(events).find(({ epoch, stage }) => stage === 'fusion' && epoch === outcome.result.best_epoch)!;
			for (const [name, value] of Object.entries(best.validation))
				expect(outcome.result.metrics['validation']![name], name).toBeCloseTo(value!, 4);
			const own = initializers(preset === 'uniform' ? await trained() : await readFile(join(output, 'graph.onnx')));
			for (const name of ['scan.in', 'scan.back']) expect(own.get(name)!.data).not.toEqual(initializers(before).get(name)!.data);
		}
	});

	it('holds what is frozen once, however many models the weighted export is made of', async () => {
		const { trained } = await run('binary', network('binary'), {
			model: { embeddings: { a: 'embedding_a', c: 'embedding_c' }, frozen: ['encoder.*'] },
			more: { weighting: { preset: 'btw', refresh_epochs: 2, guard: false } },
		});
		const names = [...initializers(await trained()).keys()];
		expect(names.filter((name) => name.endsWith('encoder.a.0.weight'))).toHaveLength(1);
		expect(names.filter((name) => name.endsWith('head.0.weight'))).toHaveLength(3); // of the fusion, and of the models of a and c
	});

	it('may leave the shape of an embedding to be seen when it runs', async () => {
		const g = new GraphBuilder();
		const a = g.input('in_a', 'float32', ['N', 6]);
		const c = g.input('in_c', 'float32', ['N', 2]);
		const weight = (name: string, rows: number) =>
			g.initializer(
				name,
				tensor(
					'float32',
					[rows, 4],
					Float32Array.from({ length: rows * 4 }, (_, i) => ((i * 7) % 5) / 5 - 0.4),
				),
			);
		const known = g.matMul(a, weight('wa', 6));
		// a shape that is computed of a shape, as exporters write it
		const shape = g.op('Shape', [known], {}, { dtype: 'int64', shape: [2] });
		const rows = g.op('Cast', [g.op('Cast', [g.op('Slice', [shape, g.ints([0]), g.ints([1])], {}, { shape: [1] })], { to: 1 })], { to: 7 });
		const vague = g.op('Reshape', [known, g.op('Concat', [rows, g.ints([4])], { axis: 0 }, { dtype: 'int64', shape: [2] })]);
		const other = g.matMul(c, weight('wc', 2));
		g.output('logits', g.reduceSum(g.op('Tanh', [g.add(vague, other)]), [1]));
		const { outcome } = await run('binary', encodeModel({ graph: g.build('vague'), opset: OPSET }), {
			model: { embeddings: { a: vague.name, c: other.name } },
			more: { weighting: { preset: 'btw', refresh_epochs: 2 } },
		});
		expect(outcome.status).toBe('done');
	});

	it('keeps its batch size where it has one, and trains and predicts every row all the same', async () => {
		const [fixed, free] = [await run('binary', network('binary', { batch: 16 })), await run('binary', network('binary'))];
		if (fixed.outcome.status !== 'done' || free.outcome.status !== 'done') throw new Error('stopped');
		// rows of one batch are summed in another order when there are 256 of them
		for (const split of ['train', 'validation', 'test'])
			expect(fixed.outcome.result.metrics[split]!['loss']).toBeCloseTo(free.outcome.result.metrics[split]!['loss']!, 5);
		const weighted = await run('binary', network('binary', { batch: 16, weights: true }), {
			more: { weighting: { preset: 'btw', refresh_epochs: 2 } },
		});
		expect(weighted.outcome.status).toBe('done');
	});

	it('is refused, as the API refuses it, with the field of the spec that is wrong', async () => {
		const cases: Array<[string, Run & { bytes?: Uint8Array }, RegExp, string?]> = [
			['model.inputs.a', { model: { inputs: { a: 'nowhere', c: 'in_c' } } }, /no input "nowhere"; its inputs are in_a, in_c/],
			['model.inputs.smell', { model: { inputs: { a: 'in_a', smell: 'in_c' } } }, /no modality smell/, 'modality_not_found'],
			['model.loss', { model: { loss: 'mae' } }, /The loss mae is not for multiclass/, 'unsupported_task'],
			['training.batch_size', { bytes: network('multiclass', { batch: 7 }) }, /fixed batch size 7/],
			['model.output', { bytes: network('binary') }, /has the shape \[N, 1\], but the 3 classes of the dataset want \[batch, 3\]/],
		];
		for (const [param, { bytes = network('multiclass'), ...options }, message, code = 'invalid_model'] of cases)
			await expect(run('multiclass', bytes, options), param).rejects.toMatchObject({
				name: 'ProblemError',
				code,
				param,
				message: expect.stringMatching(message),
			});
	});

	it('is refused for what only the graph or a run of it shows', async () => {
		const weighting = { preset: 'mi', refresh_epochs: 2 };
		await expect(
			run('multiclass', network('multiclass'), { model: { embeddings: { a: 'none', c: 'embedding_c' } }, more: { weighting } }),
		).rejects.toMatchObject({ code: 'invalid_model', param: 'model.embeddings.a', message: expect.stringMatching(/no value "none"/) });
		const vague = decodeModel(network('binary'));
		const outputs = vague.graph.outputs.map((output) => ({ ...output, shape: ['N', 'K'] }));
		await expect(run('multiclass', encodeModel({ ...vague, graph: { ...vague.graph, outputs } }))).rejects.toMatchObject({
			code: 'invalid_model',
			param: 'model.output',
			message: expect.stringMatching(/\[2, 1\] for 2 rows; expected \[2, 3\]/),
		});
		await expect(run('binary', new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: 'invalid_model', param: 'model.model' });
		await expect(
			run('regression', network('regression'), { training: { optimizer: { name: 'sgd', learning_rate: 100 } } }),
		).rejects.toMatchObject({ code: 'diverged' });
	});

	it('is refused for an operator without a gradient, by name', async () => {
		const g = new GraphBuilder();
		const x = g.input('in_a', 'float32', ['N', 6]);
		const w = g.initializer('w', tensor('float32', [6, 1], new Float32Array(6).fill(0.1)));
		const y = g.matMul(x, w);
		const image = g.op('Unsqueeze', [y, g.ints([2, 3])], {}, { shape: ['N', 1, 1, 1] });
		const region = g.constant('float32', [1, 4], [0, 0, 1, 1]);
		g.output('logits', g.add(y, g.sumAll(g.op('RoiAlign', [image, region, g.ints([0])], {}, { shape: [1, 1, 1, 1] }))));
		const model = { inputs: { a: 'in_a' } };
		await expect(run('binary', encodeModel({ graph: g.build('regions'), opset: OPSET }), { model })).rejects.toMatchObject({
			code: 'invalid_model',
			param: 'model.model',
			message: expect.stringMatching(/RoiAlign/),
		});
	});
});
