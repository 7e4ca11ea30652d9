// From POST to the first training steps told, warm; and the memory of the API and the worker.
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../../packages/client/dist/index.js';
import { startService } from '../../../services/cli/dist/index.js';

const ROUNDS = 5;
const sample = fileURLToPath(new URL('../../../services/cli/sample/spam-mail.zip', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
const service = await startService({ home: folder, port: 0 });
try {
	const client = createClient({ url: service.url });
	const dataset = (await client.datasets.create(await openAsBlob(sample), 'spam-mail.zip')).id;
	const [idle, busy] = [[], []];
	for (let round = 0; round < 2 * ROUNDS; round++) {
		// Every other job is posted to a service that has had time to make the next trainer ready, the others right behind the job before.
		if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 4000));
		const posted = performance.now();
		const { id } = await client.jobs.create({ dataset, training: { epochs: 1 } });
		let first = null;
		for await (const event of client.jobs.events(id)) if (event.type === 'progress') first ??= performance.now() - posted;
		(round % 2 === 0 ? idle : busy).push(first);
	}
	/** What the system says of the memory of a process in a line of its status, in MiB. */
	const memory = async (pid, line) =>
		Number(new RegExp(`${line}:\\s+(\\d+)`).exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1] ?? Number.NaN) / 1024;
	const worker = (await client.ready()).workers[0].pid;
	await new Promise((resolve) => setTimeout(resolve, 4000));
	const ready = (await readFile(`/proc/${worker}/task/${worker}/children`, 'utf8')).trim().split(' ').at(-1);
	const metrics = await (await fetch(`${service.url}/metrics`)).text();
	const api = Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1] ?? Number.NaN) / 2 ** 20;
	console.log(
		JSON.stringify({
			idleMs: idle,
			busyMs: busy,
			workerPeakMiB: await memory(worker, 'VmHWM'),
			readyMiB: await memory(ready, 'VmRSS'),
			apiMiB: api,
		}),
	);
} finally {
	await service.close();
	await rm(folder, { recursive: true, force: true });
}
process.exit();
