import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CustomConfig, type JobEventBody, type MlpFusionConfig, parseJobSpec } from '@steelyard/contracts';
import { mlpFusion } from '@steelyard/mlp-fusion';
import { decodeModel, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { type Tensor, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/family-architecture.js';
import { train } from '../src/train.js';
import { smallDataset } from './small-dataset.js';

const kinds = ['binary', 'multiclass', 'regression'] as const;
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
const outputsOf = (kind: Kind): number => (kind === 'multiclass' ? 3 : 1);

type GraphOptions = { batch?: number | string; weights?: boolean; seed?: number };

/** The network of `mlp-fusion` over `a` and `c` as a graph that a user could have exported; its parameters are those that the family begins with. */
function network(kind: Kind, { batch = 'N', weights = false, seed = 1 }: GraphOptions = {}): Uint8Array {
	const modalities = Object.entries(shapes).map(([name, shape]) => ({ name, shape, maskedSteps: false }));
	const family = familyArchitecture({ config, modalities, outputs: outputsOf(kind) });
	const initial = family.initial(seed, 0);
	const g = new GraphBuilder();
	const parameters = new Map(
		family.parameters.map(({ name, shape }) => [name, g.initializer(name, tensor('float32', shape, initial.get(name)!))]),
	);
	const parameter = (name: string): Value => parameters.get(name)!;
	const embeddings = modalities.map((modality) => {
		const x = g.input(`in_${modality.name}`, 'float32', [batch, ...modality.shape]);
		const embedding = mlpFusion.encode(g, config, modality, { x, mask: null }, parameter);
		g.node('Identity', [embedding], [{ ...embedding, name: `embedding_${modality.name}` }]);
		const named = g.value(`embedding_${modality.name}`);
		return weights ? g.mul(named, g.input(`w.${modality.name}`, 'float32', [batch, 1])) : named;
	});
	g.output('logits', mlpFusion.fuse(g, config, embeddings, parameter));
	return encodeModel({ graph: g.build('network'), opset: OPSET });
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

type Run = { model?: Partial<CustomConfig>; more?: object; training?: object; stopAfter?: number; earlier?: string[] };

async function run(kind: Kind, bytes: Uint8Array, { model = {}, more = {}, training = {}, stopAfter, earlier = [] }: Run = {}) {
	const output = join(root, String(files++));
	const file = `${output}.onnx`;
	await writeFile(file, bytes);
	await (await import('node:fs/promises')).mkdir(output);
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
	for (const kind of ['binary', 'multiclass'] as const)
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

	it('comes back as it was, but for the numbers of its parameters', async () => {
		const before = network('multiclass');
		const { trained, outcome } = await run('multiclass', before);
		const after = await trained();
		const [one, two] = [decodeModel(before), decodeModel(after)];
		expect(two.graph.nodes).toEqual(one.graph.nodes);
		expect([...two.graph.initializers.keys()]).toEqual([...one.graph.initializers.keys()]);
		expect(two.graph.initializers.get('head.0.weight')!.data).not.toEqual(one.graph.initializers.get('head.0.weight')!.data);
		expect(outcome).toMatchObject({ status: 'done', artifacts: ['model.onnx', 'report.json', 'metrics.json'] });
	});
});
