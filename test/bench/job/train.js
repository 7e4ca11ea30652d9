// A whole job, from the files of a dataset to the trained model and its report: `train.js SOURCE FOLDER`. Prints what it reached on the test split and the largest
// resident size of the process in MiB, as JSON.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJobSpec } from '../../../packages/contracts/dist/index.js';
import { ingest } from '../../../packages/dataset/dist/index.js';
import { train } from '../../../packages/trainer/dist/index.js';
import { training } from './spec.js';

const [source, folder] = process.argv.slice(2);
const [dataset, output] = [join(folder, 'dataset'), join(folder, 'output')];
await mkdir(dataset, { recursive: true });
await mkdir(output);
await ingest(source, dataset);
const { epochs, batch_size, learning_rate, hidden } = training;
const spec = parseJobSpec({
	...{ dataset: 'ds_1', device: 'cpu', model: { family: 'mlp-fusion', hidden }, weighting: { preset: 'uniform' } },
	training: { epochs, batch_size, early_stopping: null, optimizer: { name: 'adamw', learning_rate } },
	evaluation: { robustness: false },
});
const outcome = await train({ spec, dataset, output, emit: () => {}, stopped: () => false });
if (outcome.status !== 'done') throw new Error(`the job ended as ${outcome.status}`);
const { auroc, loss } = outcome.result.metrics.test;
console.log(JSON.stringify({ auroc, loss, peakMiB: process.resourceUsage().maxRSS / 1024 }));
