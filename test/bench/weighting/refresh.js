// What a BTW refresh costs beside the epochs between two refreshes, and the trainer's memory, on p12_icu where it is there.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJobSpec } from '../../../packages/contracts/dist/index.js';
import { ingest } from '../../../packages/dataset/dist/index.js';
import { train } from '../../../packages/trainer/dist/index.js';
import { icu, withoutIcu } from '../data.js';

if (withoutIcu !== null) {
	console.log(JSON.stringify({ absent: withoutIcu }));
	process.exit(0);
}
const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
const dataset = join(folder, 'dataset');
const output = join(folder, 'output');
await mkdir(dataset);
await mkdir(output);
await ingest(icu, dataset);
const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', weighting: { preset: 'btw' }, training: { epochs: 21, early_stopping: null } });
const refreshes = [];
let began = 0;
const emit = (event) => {
	if (event.type === 'stage' && event.stage === 'fusion') began = performance.now();
	if (event.type !== 'weights') return;
	const now = performance.now();
	refreshes.push({ refresh: event.seconds * 1000, epochs: now - began - event.seconds * 1000 });
	began = now;
};
await train({ spec, dataset, output, emit, stopped: () => false });
await rm(folder, { recursive: true });
console.log(JSON.stringify({ refreshes, maxRssMiB: process.resourceUsage().maxRSS / 1024 }));
