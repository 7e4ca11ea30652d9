import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { afterAll, beforeAll } from 'vitest';
import { train } from '../src/job/train.js';

let root: string;
let made = 0;
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-graph-'));
});
afterAll(() => rm(root, { recursive: true }));

export type GraphJob = {
	/** Fields of the model beside its family and its id. */
	model: object;
	training?: object;
	/** Chunks after which the job is stopped. */
	stopAfter?: number;
	/** Output folders of attempts before. */
	earlier?: string[];
	/** What the job keeps that this one begins with. */
	source?: string;
};

/** Trains a graph of one's own on the folder of a validated dataset, as a job on the CPU; what it writes is there until the tests of the importing file have ended. */
export async function trainGraph(
	dataset: string,
	graph: Uint8Array,
	{ model, training = {}, stopAfter = Number.POSITIVE_INFINITY, earlier = [], source }: GraphJob,
) {
	const output = join(root, String(made++));
	await mkdir(output);
	await writeFile(`${output}.onnx`, graph);
	const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', model: { family: 'custom', model: 'mdl_1', ...model }, training });
	const events: JobEventBody[] = [];
	let chunks = 0;
	const outcome = await train({
		...{ spec, dataset, output, model: `${output}.onnx`, earlier, ...(source === undefined ? {} : { source }) },
		emit: (event) => {
			events.push(event);
			if (event.type === 'progress') chunks++;
		},
		stopped: () => chunks >= stopAfter,
	});
	const epochs = events.flatMap((event) => (event.type === 'epoch' ? [event] : []));
	return { outcome, epochs, output, trained: () => readFile(join(output, 'model.onnx')) };
}

/** The same of a job that comes to its end, with its result. */
export async function trainedGraph(dataset: string, graph: Uint8Array, job: GraphJob) {
	const { outcome, ...rest } = await trainGraph(dataset, graph, job);
	if (outcome.status !== 'done') throw new Error('stopped');
	return { ...rest, ...outcome };
}
