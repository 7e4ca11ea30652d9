// Many tiny jobs at once, as many of them side by side as there are cores: how many end in a minute, and what one of them costs all processes of the service.
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../../packages/client/dist/index.js';
import { startService } from '../../../services/cli/dist/index.js';

const cores = availableParallelism();
const count = process.argv.includes('--quick') ? 10 : 60;
const sample = fileURLToPath(new URL('../../../services/cli/sample/spam-mail.zip', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'steelyard-bench-'));
const service = await startService({ home: folder, port: 0, env: { ...process.env, STEELYARD_CONCURRENCY: String(cores) } });

/** The fields of a process that the system tells, from the third on; none where it has ended. */
const statOf = async (pid) => {
	const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
	return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** Seconds of processor time of the processes that this one has started, with those of theirs that have ended; the kernel counts in hundredths. */
async function processorSeconds() {
	const children = (await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'latin1')).trim().split(' ');
	let sum = 0;
	for (const pid of children) for (const ticks of (await statOf(pid)).slice(11, 15)) sum += Number(ticks) / 100;
	return sum;
}

try {
	const client = createClient({ url: service.url });
	const dataset = (await client.datasets.create(await openAsBlob(sample), 'spam-mail.zip')).id;
	const post = () => client.jobs.create({ dataset, training: { epochs: 1 } });
	/** Resolves with the status that a job ended with. */
	const ended = async ({ id }) => {
		for await (const _ of client.jobs.events(id));
		return (await client.jobs.get(id)).status;
	};
	await ended(await post());
	const [began, before] = [performance.now(), await processorSeconds()];
	const jobs = await Promise.all(Array.from({ length: count }, post));
	const statuses = await Promise.all(jobs.map(ended));
	const seconds = (performance.now() - began) / 1000;
	const succeeded = statuses.filter((status) => status === 'succeeded').length;
	if (succeeded !== count) throw new Error(`of ${count} jobs only ${succeeded} succeeded`);
	console.log(JSON.stringify({ jobs: count, cores, seconds, processorSeconds: (await processorSeconds()) - before }));
} finally {
	await service.close();
	await rm(folder, { recursive: true, force: true });
}
process.exit();
