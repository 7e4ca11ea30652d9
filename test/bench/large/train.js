// A whole job on a dataset: `train.js DATASET OUTPUT EPOCHS`. Prints the milliseconds of a step of the fusion model, the median over its runs, the seconds of the job
// and of a refresh, and the largest resident size in MiB, of the process and of each stage, as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseJobSpec } from '../../../packages/contracts/dist/index.js';
import { train } from '../../../packages/trainer/dist/index.js';
import { median } from '../figures.js';

/** The largest resident size since it was last asked for, in MiB, where the system tells it; null elsewhere. */
function peakSince() {
	try {
		const [, kilobytes] = /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
		writeFileSync('/proc/self/clear_refs', '5');
		return Number(kilobytes) / 1024;
	} catch {
		return null;
	}
}

const [dataset, output, epochs] = process.argv.slice(2);
const spec = parseJobSpec({
	...{ dataset: 'ds_1', device: 'cpu', model: { family: 'mlp-fusion', hidden: 128 }, weighting: { preset: 'btw', refresh_epochs: 1 } },
	training: { epochs: Number(epochs), batch_size: 32, early_stopping: null, optimizer: { name: 'adam', learning_rate: 1e-3 } },
});

const stages = {};
const steps = [];
let stage = 'starting';
let refresh = null;
const ended = () => {
	stages[stage] = Math.max(stages[stage] ?? 0, peakSince() ?? 0);
};
const emit = (event) => {
	if (event.type === 'device') return;
	ended();
	if (event.type === 'stage') stage = event.stage;
};
const measured = ({ of, seconds, steps: count }) => {
	if (of === 'refresh') refresh = seconds;
	if (of === 'steps' && stage === 'fusion') steps.push((seconds / count) * 1000);
};
const started = performance.now();
const outcome = await train({ spec, dataset, output, emit, measured, stopped: () => false });
if (outcome.status !== 'done') throw new Error(`the job ended as ${outcome.status}`);
ended();
const peakMiB = Math.max(process.resourceUsage().maxRSS / 1024, ...Object.values(stages));
// the first run takes one step, and the chunk that it is of is the only one that was not read ahead
const ms = median(steps.slice(2));
console.log(JSON.stringify({ ms, seconds: (performance.now() - started) / 1000, refresh, peakMiB, stages }));
