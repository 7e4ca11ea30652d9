// `npm run bench`: ours beside PyTorch in one run, interleaved, as ratios; then costs and memory of the service.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peer } from './peer.js';
import { ours } from './step.js';

const ROUNDS = 9;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const row = (name, figures) => console.log(`${name.padEnd(64)} ${figures}`);

const step = await ours();
const torch = await peer();
const times = { ours: [], torch: [], ratio: [] };
for (let round = 0; round < ROUNDS; round++) {
	const mine = await step();
	const theirs = torch.step ? await torch.step() : Number.NaN;
	if (round < 2) continue; // warm-up
	times.ours.push(mine);
	times.torch.push(theirs);
	times.ratio.push(theirs / mine);
}
torch.stop?.();
row('mlp-fusion, 3 modalities, width 128, batch 32, 1 thread', `${median(times.ours).toFixed(2)} ms/step`);
if (torch.step)
	row(
		'  PyTorch eager, fused Adam, same run',
		`${median(times.torch).toFixed(2)} ms/step; ours is ${median(times.ratio).toFixed(2)} times as fast (${Math.min(...times.ratio).toFixed(2)}–${Math.max(...times.ratio).toFixed(2)})`,
	);
else row('  PyTorch eager, fused Adam, same run', `peer absent: ${torch.absent}`);

const child = async (name) => {
	const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL(name, import.meta.url))], { maxBuffer: 1e8 });
	return JSON.parse(stdout.trim().split('\n').at(-1));
};
const refresh = await child('refresh.js');
if (refresh.absent) row('BTW refresh on p12_icu', `skipped: ${refresh.absent}`);
else {
	const share = refresh.refreshes.map(({ refresh: cost, epochs }) => (100 * cost) / epochs);
	row(
		'BTW refresh on p12_icu, of the epochs between refreshes',
		`${median(share).toFixed(1)} % (${median(refresh.refreshes.map((r) => r.refresh)).toFixed(0)} ms)`,
	);
	row('trainer on p12_icu, largest resident size', `${refresh.maxRssMiB.toFixed(0)} MiB`);
}

const service = await child('service.js');
row('POST to the first training steps told, service at rest', `${median(service.idleMs).toFixed(0)} ms`);
row('  right after another job', `${median(service.busyMs).toFixed(0)} ms`);
row('worker, largest resident size; API, resident', `${service.workerPeakMiB.toFixed(0)} MiB; ${service.apiMiB.toFixed(0)} MiB`);
