import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobResult, parseJobSpec, TRAINING_STATE } from '@steelyard/contracts';
import { decodeModel, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeSafetensors } from '../src/job/safetensors.js';
import { train } from '../src/job/train.js';
import { byteSource } from './byte-source.js';
import { smallDataset } from './small-dataset.js';
import { trainedGraph, trainGraph } from './train-graph.js';

const kinds = ['binary', 'multiclass'] as const;
type Kind = (typeof kinds)[number];
const datasets = new Map<Kind, Awaited<ReturnType<typeof smallDataset>>>();
let root = '';
let made = 0;
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	for (const kind of kinds) datasets.set(kind, await smallDataset(kind));
});
afterAll(async () => {
	for (const { remove } of datasets.values()) await remove();
	await rm(root, { recursive: true });
});
const folderOf = (kind: Kind): string => datasets.get(kind)!.folder;
/** Any id: the trainer is given the file, and looks for no job. */
const JOB = `job_${'0'.repeat(26)}`;

type Wanted = {
	training?: object;
	model?: object;
	weighting?: object;
	/** Output of the job that this one begins with. */
	from?: string;
	earlier?: string[];
	stopAfter?: number;
};

async function run(kind: Kind, { training = {}, model = {}, weighting = { preset: 'uniform' }, from, earlier = [], stopAfter }: Wanted) {
	const output = await mkdtemp(join(root, `${made++}-`));
	const spec = parseJobSpec({
		...{ dataset: 'ds_1', device: 'cpu', weighting },
		model: { hidden: 16, ...model },
		training: { epochs: 5, batch_size: 16, early_stopping: null, optimizer: { learning_rate: 0.01 }, ...training },
	});
	const source = from === undefined ? {} : { source: join(from, TRAINING_STATE) };
	let chunks = 0;
	const outcome = await train({
		...{ spec, dataset: folderOf(kind), output, earlier, ...source },
		emit: ({ type }) => void (type === 'progress' && chunks++),
		stopped: () => stopAfter !== undefined && chunks >= stopAfter,
	});
	return { output, outcome, model: () => readFile(join(output, 'model.onnx')) };
}

/** The same of a job that comes to its end, with its result and what it keeps. */
async function done(kind: Kind, wanted: Wanted) {
	const ran = await run(kind, wanted);
	if (ran.outcome.status !== 'done') throw new Error('stopped');
	const { artifacts, result } = ran.outcome;
	return { ...ran, artifacts, result, kept: artifacts.includes(TRAINING_STATE) ? await stateIn(ran.output) : null };
}

async function stateIn(output: string) {
	const { tensors, metadata } = decodeSafetensors(byteSource(await readFile(join(output, TRAINING_STATE))));
	return { tensors, header: JSON.parse(metadata['steelyard']!) as { epochs: number; steps: number } };
}

/** A warm start as a job names it. */
const start = (more: object = {}) => ({ initialise_from: { job: JOB, ...more } });
/** So slow that what a job begins with is what it ends with. */
const STILL = { epochs: 2, optimizer: { name: 'sgd', learning_rate: 1e-30 } };

describe('a job that begins with another one', () => {
	for (const [name, training] of [
		['adamw', { optimizer: { name: 'adamw', learning_rate: 0.01, weight_decay: 0.1 } }],
		['momentum', { optimizer: { name: 'momentum', learning_rate: 0.01 } }],
		['clipping and dropout of modalities', { clip_norm: 0.5, modality_dropout: 0.3 }],
	] as const)
		it(`goes on with the optimizer to the numbers of one long job: ${name}`, async () => {
			const model = { dropout: 0.2 };
			const first = await done('multiclass', { training: { ...training, epochs: 2 }, model });
			const second = await done('multiclass', {
				training: { ...training, epochs: 3, ...start({ parameters: 'last', optimizer: true }) },
				...{ model, from: first.output },
			});
			const whole = await done('multiclass', { training: { ...training, epochs: 5 }, model });
			const ends = (of: typeof whole) => [...of.kept!.tensors].filter(([path]) => !path.startsWith('fusion/best/'));
			expect(ends(second).length).toBeGreaterThan(0);
			expect(ends(second)).toEqual(ends(whole));
			expect(second.kept!.header).toEqual(whole.kept!.header);
			expect(whole.kept!.header).toMatchObject({ epochs: 5, steps: 5 * Math.ceil(90 / 16) });
		});

	it('begins with the parameters of the epoch that it names', async () => {
		// so fast that the last epoch is not the best
		const first = await done('binary', { training: { epochs: 12, optimizer: { learning_rate: 0.1 } } });
		expect(first.result.best_epoch).toBeLessThan(11);
		const of = (kept: Awaited<ReturnType<typeof stateIn>>, epoch: string) =>
			[...kept.tensors].filter(([path]) => path.startsWith(`fusion/${epoch}/`)).map(([, { data }]) => data);
		expect(of(first.kept!, 'best')).not.toEqual(of(first.kept!, 'last'));
		for (const epoch of ['best', 'last'] as const) {
			const second = await done('binary', { training: { ...STILL, ...start({ parameters: epoch }) }, from: first.output });
			expect(of(second.kept!, 'last')).toEqual(of(first.kept!, epoch));
			const { initialised } = second.result as Required<JobResult>;
			expect(initialised).toMatchObject({ from: JOB, parameters: epoch, optimizer: false, anew: 0, left: 0, anew_names: [] });
			expect(initialised.taken).toBe(of(first.kept!, epoch).length);
		}
		const short = await done('binary', { training: { ...STILL, initialise_from: JOB }, from: first.output });
		expect(of(short.kept!, 'last')).toEqual(of(first.kept!, 'best'));
	});

	it('takes the body alone where the head has another shape, and says so', async () => {
		const first = await done('multiclass', {});
		const second = await done('binary', { training: { ...STILL, ...start() }, from: first.output });
		const drawn = await done('binary', { training: STILL });
		const { initialised } = second.result as Required<JobResult>;
		const head = ['head.1.weight', 'head.1.bias'];
		expect(initialised.anew_names).toEqual(head);
		expect(initialised.left_names.toSorted()).toEqual(head.toSorted());
		expect(initialised.taken).toBe(initialised.taken_names.length);
		for (const [path, { data }] of second.kept!.tensors) {
			if (!path.startsWith('fusion/last/')) continue;
			const isHead = head.some((name) => path.endsWith(name));
			const expected = isHead ? drawn.kept!.tensors.get(path) : first.kept!.tensors.get(path.replace('last', 'best'));
			expect(data, path).toEqual(expected!.data);
		}
	});

	it('gives the same bytes again, also after a stop in the middle', async () => {
		const first = await done('binary', {});
		const wanted = { training: start({ parameters: 'last', optimizer: true }), from: first.output };
		const [one, two] = [await done('binary', wanted), await done('binary', wanted)];
		const stopped = await run('binary', { ...wanted, stopAfter: 3 });
		expect(stopped.outcome.status).toBe('stopped');
		const resumed = await done('binary', { ...wanted, earlier: [stopped.output] });
		for (const name of ['model.onnx', TRAINING_STATE])
			for (const other of [two, resumed]) expect(await readFile(join(other.output, name))).toEqual(await readFile(join(one.output, name)));
		expect(resumed.result.initialised).toEqual(one.result.initialised);
		expect(decodeModel(await one.model()).metadata).toHaveProperty('steelyard.initialised_from_sha256');
	});

	it('does not go on from a checkpoint that began with other parameters', async () => {
		const [one, two] = [await done('binary', {}), await done('binary', { training: { batch_size: 8 } })];
		const training = start();
		const stopped = await run('binary', { training, from: one.output, stopAfter: 3 });
		const resumed = await done('binary', { training, from: two.output, earlier: [stopped.output] });
		const whole = await done('binary', { training, from: two.output });
		expect(await resumed.model()).toEqual(await whole.model());
	});

	it('takes the models of single modalities too, those of folds only where the rows are cut alike', async () => {
		for (const [weighting, seed, anew] of [
			[{ preset: 'btw', refresh_epochs: 1 }, 2, false],
			[{ preset: 'consensus', folds: 2 }, 1, false],
			[{ preset: 'consensus', folds: 2 }, 2, true],
		] as const) {
			const first = await done('binary', { weighting });
			const second = await done('binary', { weighting, training: { ...STILL, ...start(), seed }, from: first.output });
			const { initialised } = second.result as Required<JobResult>;
			const ofModalities = (names: readonly string[]) => names.filter((name) => name.startsWith('unimodal.')).length;
			expect(ofModalities(initialised.taken_names) > 0).toBe(!anew);
			expect(ofModalities(initialised.anew_names) > 0).toBe(anew);
			const unimodal = (kept: NonNullable<typeof first.kept>) => [...kept.tensors].filter(([path]) => path.startsWith('unimodal/'));
			if (!anew) expect(unimodal(second.kept!)).toEqual(unimodal(first.kept!));
			else expect(unimodal(second.kept!)).not.toEqual(unimodal(first.kept!));
		}
	});

	it('keeps as much as it is told', async () => {
		const slots = async (keep_state: string) =>
			[...((await done('binary', { training: { epochs: 1, keep_state } })).kept?.tensors.keys() ?? ['none'])].some((path) =>
				path.startsWith('fusion/slots/'),
			);
		expect(await slots('optimizer')).toBe(true);
		expect(await slots('parameters')).toBe(false);
		const none = await done('binary', { training: { epochs: 1, keep_state: 'none' } });
		expect(none.artifacts).not.toContain(TRAINING_STATE);
		const all = await done('binary', { training: { epochs: 1 } });
		expect(await all.model()).toEqual(await none.model());
	});

	it('is refused where nothing fits, where the optimizer lacks a parameter, and where the file is no such state', async () => {
		const first = await done('multiclass', {});
		const refused = (wanted: Wanted, expected: object) => expect(run('binary', wanted)).rejects.toMatchObject(expected);
		await refused(
			{ training: start(), model: { hidden: 8 }, from: first.output },
			{ code: 'job_not_usable', param: 'training.initialise_from', message: expect.stringContaining('No parameter of') },
		);
		await refused(
			{ training: start({ parameters: 'last', optimizer: true }), from: first.output },
			{ code: 'job_not_usable', message: expect.stringContaining('head.1.weight') },
		);
		await refused({ training: start(), from: root }, { code: 'job_not_usable', message: expect.stringContaining('it is not there') });
		await refused({ training: start() }, { code: 'job_not_usable' });
	});
});

/** x.a · body → tanh → · head, with `outputs` logits. */
function network(outputs: number, head = 'head'): Uint8Array {
	const g = new GraphBuilder();
	const drawn = (count: number) => Float32Array.from({ length: count }, (_, i) => (((7 * i) % 11) - 5) / 5);
	const x = g.input('x.a', 'float32', ['N', 6]);
	const body = g.initializer('body', tensor('float32', [6, 4], drawn(24)));
	const last = g.initializer(head, tensor('float32', [4, outputs], drawn(4 * outputs)));
	g.output('logits', g.matMul(g.op('Tanh', [g.matMul(x, body)]), last));
	return encodeModel({ graph: g.build('network'), opset: OPSET });
}

describe('an uploaded graph that begins with another job', () => {
	const model = { inputs: { a: 'x.a' }, output: 'logits' };
	const training = { epochs: 3, batch_size: 16, early_stopping: null, optimizer: { learning_rate: 0.01 } };
	const body = (bytes: Uint8Array) => decodeModel(bytes).graph.initializers.get('body')!.data;

	it('takes the numbers of initializers of the same name and shape, whatever else either job trains', async () => {
		const first = await trainedGraph(folderOf('multiclass'), network(3), { model: { ...model, frozen: ['head'] }, training });
		const source = join(first.output, TRAINING_STATE);
		const still = { ...training, ...STILL, ...start() };
		const second = await trainedGraph(folderOf('binary'), network(1, 'other'), { model, training: still, source });
		expect(body(await second.trained())).toEqual(body(await first.trained()));
		expect(second.result.initialised).toMatchObject({ taken_names: ['body'], anew_names: ['other'], left: 0 });
	});

	it('is refused where it keeps as uploaded what the other job trained', async () => {
		const first = await trainedGraph(folderOf('multiclass'), network(3), { model, training });
		const source = join(first.output, TRAINING_STATE);
		const frozen = { model: { ...model, frozen: ['body'] }, training: { ...training, ...start() }, source };
		await expect(trainGraph(folderOf('multiclass'), network(3), frozen)).rejects.toMatchObject({
			code: 'job_not_usable',
			message: expect.stringContaining('"body", which this job keeps as it was uploaded'),
		});
	});

	it('takes low-rank updates', async () => {
		const lora = { ...model, lora: { rank: 2, match: ['body'] } };
		const first = await trainedGraph(folderOf('multiclass'), network(3), { model: lora, training });
		const source = join(first.output, TRAINING_STATE);
		const second = await trainedGraph(folderOf('multiclass'), network(3), {
			...{ model: lora, source },
			training: { ...training, ...STILL, ...start() },
		});
		expect(second.result.initialised).toMatchObject({ anew: 0, left: 0 });
		expect(await second.trained()).toEqual(await first.trained());
	});
});
