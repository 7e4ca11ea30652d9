// Arithmetic of the weights beside the same in Python: `weighting.js refresh FOLDER` or `weighting.js consensus`. The first writes its predictions into the
// folder for its peer (refresh_peer.py); every line then asks for one run, and is answered by milliseconds and, of a refresh, the mean weight of each modality.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeNumberTable } from '../../../packages/dataset/dist/index.js';
import { weighPredictions } from '../../../packages/trainer/dist/index.js';
import { consensus, fitConsensus } from '../../../packages/weighting/dist/index.js';

const ROWS = 20_000;
const CLASSES = 10;

/** Logits of a truth, and of models that see it through noise of their own, the more the later; the fused model sees some of all their noise. */
function predictions(modalities) {
	const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
	const truth = Float32Array.from({ length: ROWS * CLASSES }, () => 1.5 * normal());
	const unimodal = Array.from({ length: modalities }, (_, m) => truth.map((z) => z + 0.5 * (m + 1) * normal()));
	const fused = truth.map((z, i) => z + unimodal.reduce((sum, output) => sum + (output[i] - z) / (2 * modalities), 0));
	const labels = Float64Array.from({ length: ROWS }, (_, i) => {
		const row = truth.subarray(i * CLASSES, (i + 1) * CLASSES);
		return row.indexOf(Math.max(...row));
	});
	return { task: 'multiclass', classes: CLASSES, fused, unimodal, labels };
}

const timed = async (run) => {
	const started = performance.now();
	const result = await run();
	return { milliseconds: performance.now() - started, result };
};

async function refresh(folder) {
	const given = predictions(4);
	const outputs = { fused: given.fused, ...Object.fromEntries(given.unimodal.map((output, m) => [`unimodal${m}`, output])) };
	for (const [name, output] of Object.entries(outputs)) await writeNumberTable(join(folder, `${name}.npy`), [ROWS, CLASSES], output);
	return async () => {
		const { milliseconds, result } = await timed(() => weighPredictions({ preset: 'btw' }, given, 1));
		const mean = (m) => result.weights.reduce((sum, w, i) => (i % 4 === m ? sum + w : sum), 0) / ROWS;
		return [milliseconds, ...given.unimodal.map((_, m) => mean(m))];
	};
}

function vote() {
	const { task, classes, unimodal, labels } = predictions(10);
	return async () => {
		const fit = await timed(() => fitConsensus({ task, classes, outOfFold: unimodal, labels }));
		const weighed = await timed(() => consensus({ task, classes, statistics: fit.result, outputs: unimodal }));
		return [weighed.milliseconds, fit.milliseconds];
	};
}

const [what, folder] = process.argv.slice(2);
const run = what === 'refresh' ? await refresh(folder) : vote();
console.log('ready');
for await (const _ of createInterface({ input: process.stdin })) console.log((await run()).join(' '));
