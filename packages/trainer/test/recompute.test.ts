import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as autodiff from '@steelyard/autodiff';
import { type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { train } from '../src/job/train.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { scanProgram } from '../src/step/scan-program.js';
import { smallDataset } from './small-dataset.js';
import { stepOf } from './training-steps.js';
import { weightingBy } from './weighting-by.js';

/** How values were kept, of every graph that was differentiated. */
let kept: (string | undefined)[] = [];
vi.mock('@steelyard/autodiff', async (original) => {
	const { differentiate, ...rest } = await original<typeof autodiff>();
	return {
		...rest,
		differentiate(...[graph, options]: Parameters<typeof differentiate>) {
			kept.push(options.recompute);
			return differentiate(graph, options);
		},
	};
});
beforeEach(() => {
	kept = [];
});

const bytes = async (recompute?: 'none' | 'segments'): Promise<number> => {
	const architecture = familyArchitecture({
		config: { family: 'mlp-fusion', hidden: 8, encoder_layers: 4, head_layers: 2 },
		modalities: [{ name: 'a', shape: [5], maskedSteps: false }],
		outputs: 3,
	});
	const step = await stepOf({ architecture, batch: 4, loss: 'cross_entropy', optimizer: { name: 'sgd' }, recompute });
	return scanProgram(step).bytes.length;
};

describe('the training program', () => {
	it('makes values again when it is told to alone', async () => {
		expect(await bytes()).toBe(await bytes('none'));
		expect(await bytes('segments')).toBeGreaterThan(await bytes());
	});
});

describe('a job that spares memory', () => {
	let dataset: Awaited<ReturnType<typeof smallDataset>>;
	let root: string;
	beforeAll(async () => {
		dataset = await smallDataset('multiclass');
		root = await mkdtemp(join(tmpdir(), 'steelyard-recompute-'));
	});
	afterAll(async () => {
		await dataset.remove();
		await rm(root, { recursive: true });
	});

	type Attempt = { sparesMemory?: boolean; earlier?: string[]; stopped?: (events: JobEventBody[]) => boolean };
	async function attempt(more: object, { sparesMemory, earlier = [], stopped }: Attempt = {}) {
		const output = await mkdtemp(join(root, 'output-'));
		const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', ...more });
		const events: JobEventBody[] = [];
		const { status } = await train({
			...{ spec, dataset: dataset.folder, output, earlier },
			...(sparesMemory === undefined ? {} : { sparesMemory }),
			emit: (event) => void events.push(event),
			stopped: () => stopped?.(events) ?? false,
		});
		const sha = async (name: string) =>
			createHash('sha256')
				.update(await readFile(join(output, name)))
				.digest('hex');
		return { status, output, sha };
	}

	it('makes the bytes of one that does not, also where it goes on from that', async () => {
		const more = {
			model: { hidden: 16, encoder_layers: 3, dropout: 0.2 },
			weighting: weightingBy('btw', 2),
			training: { epochs: 4, batch_size: 30, clip_norm: 1 },
		};
		const plain = await attempt(more);
		expect(new Set(kept)).toEqual(new Set(['none']));
		const expected = await plain.sha('model.onnx');
		kept = [];
		expect(await (await attempt(more, { sparesMemory: true })).sha('model.onnx')).toBe(expected);
		expect(new Set(kept)).toEqual(new Set(['segments']));
		const isEpoch = (event: JobEventBody | undefined) => event?.type === 'epoch' && event.model === 'fusion';
		const first = await attempt(more, { stopped: (events) => isEpoch(events.at(-1)) });
		expect(first.status).toBe('stopped');
		const second = await attempt(more, { sparesMemory: true, earlier: [first.output] });
		expect(await second.sha('model.onnx')).toBe(expected);
	});
});
