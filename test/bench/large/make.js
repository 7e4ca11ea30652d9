// A dataset of arrays that is made up, and read as an upload is: `make.js FOLDER ROWS` writes it into FOLDER/dataset. Two modalities of WIDTH numbers tell a binary
// label together. Prints its bytes, how long it took to read, and the largest resident size of the process in MiB, as JSON.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ingest, openNpyWriter } from '../../../packages/dataset/dist/index.js';
import { counterRandom } from '../../../packages/random/dist/index.js';

const WIDTH = 1000;
/** Rows that are drawn: further ones put them together anew, since to draw a billion numbers takes longer than to train on them. */
const DRAWN = 4096;

const random = counterRandom(1, 0);
const drawn = () => Float32Array.from({ length: DRAWN * WIDTH }, () => 2 * random.uniform() - 1);

async function write(source, rows) {
	const [a, b] = [drawn(), drawn()];
	const order = (block, row) => (row * 17 + block) % DRAWN;
	const writers = {
		a: await openNpyWriter(join(source, 'train_a.npy'), 'float32', [rows, WIDTH]),
		b: await openNpyWriter(join(source, 'train_b.npy'), 'float32', [rows, WIDTH]),
		labels: await openNpyWriter(join(source, 'train_labels.npy'), 'int32', [rows]),
	};
	const mixed = new Float32Array(b.length);
	for (let start = 0; start < rows; start += DRAWN) {
		const count = Math.min(DRAWN, rows - start);
		const labels = new Int32Array(count);
		for (let row = 0; row < count; row++) {
			const other = order(start / DRAWN, row);
			mixed.set(b.subarray(other * WIDTH, (other + 1) * WIDTH), row * WIDTH);
			labels[row] = a[row * WIDTH] + b[other * WIDTH] > 0 ? 1 : 0;
		}
		await writers.a.append(a.subarray(0, count * WIDTH));
		await writers.b.append(mixed.subarray(0, count * WIDTH));
		await writers.labels.append(labels);
	}
	for (const writer of Object.values(writers)) await writer.close();
}

const [folder, rows] = process.argv.slice(2);
const [source, dataset] = [join(folder, 'source'), join(folder, 'dataset')];
await mkdir(source, { recursive: true });
await mkdir(dataset);
await write(source, Number(rows));
const started = performance.now();
const {
	profile: { bytes },
} = await ingest(source, dataset);
const seconds = (performance.now() - started) / 1000;
await rm(source, { recursive: true });
console.log(JSON.stringify({ bytes, seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
