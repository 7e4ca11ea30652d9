// Predictions by HTTP, with a warm model of the sample table: one row at a time, and as many as a request may have.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../../packages/client/dist/index.js';
import { startService } from '../../../services/cli/dist/index.js';

const MOST = 10_000;
const quick = process.argv.includes('--quick');
const sample = fileURLToPath(new URL('../../../services/cli/sample/visits.csv', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
const service = await startService({ home: folder, port: 0 });

/** The milliseconds of each of `count` runs. */
async function times(count, run) {
	const all = [];
	for (let i = 0; i < count; i++) {
		const begun = performance.now();
		await run(i);
		all.push(performance.now() - begun);
	}
	return all;
}

try {
	const client = createClient({ url: service.url });
	const csv = await readFile(sample, 'utf8');
	const dataset = await client.datasets.create(new Blob([csv]), 'visits.csv', { label: 'readmitted' });
	const { id } = await client.jobs.create({ dataset: dataset.id, training: { epochs: 2 }, evaluation: { robustness: false } });
	for await (const _ of client.jobs.events(id));
	const [header, ...lines] = csv.trim().split('\n');
	const row = { seen: '2024-03-31 06:30', age: 78, pulse: null, ward: 'cardiology', note: 'Comes with swollen legs, lives alone' };
	const begun = performance.now();
	await client.jobs.predict(id, [row]);
	const coldMs = performance.now() - begun;
	const many = new Array(MOST).fill(row);
	const text = [header, ...Array.from({ length: MOST }, (_, i) => lines[i % lines.length])].join('\n');
	await times(20, () => client.jobs.predict(id, [row]));
	const oneMs = await times(quick ? 50 : 500, (i) => client.jobs.predict(id, [{ ...row, age: i % 90 }]));
	const jsonMs = await times(quick ? 2 : 10, () => client.jobs.predict(id, many));
	const csvMs = await times(quick ? 2 : 10, () => client.jobs.predict(id, text));
	console.log(JSON.stringify({ coldMs, oneMs, jsonMs, csvMs, rows: MOST }));
} finally {
	await service.close();
	await rm(folder, { recursive: true, force: true });
}
process.exit();
