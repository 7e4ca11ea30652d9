// Writes the fixture of test/previous.test.ts: what a previous version of the service has left in its data folder and its Redis when all its processes were
// killed. It needs a redis-server, and a checkout of that version that is built (npm run setup):
//
//     git worktree add ../previous <commit> && (cd ../previous && npm run setup)
//     node test/previous/write.js ../previous
//
// In `fixtures`, `store` gets the data folder, `redis.jsonl` one command of Redis a line, and `left.json` what there is, by what each was made for.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient } from '@steelyard/client';
import { connect, serverOnPath } from '@steelyard/redis';

const OWN = fileURLToPath(new URL('fixtures', import.meta.url));
const [checkout] = process.argv.slice(2);
if (checkout === undefined) throw new Error('name the folder of a built checkout of the previous version');
const previous = resolve(checkout);
const server = serverOnPath();
if (server === null) throw new Error('a redis-server is needed on the PATH');

/** The first admin key, which the test uses too. */
const ADMIN = 'of-the-fixture-alone';
/** Keys of Redis that would have expired before another version starts: locks, and the signs of life of workers. */
const SHORT = 60_000;

const work = await mkdtemp(join(tmpdir(), 'steelyard-previous-'));
const home = join(work, 'home');
const socket = join(work, 'redis.sock');
const redisArgs = { port: '0', unixsocket: socket, dir: work, save: '', appendonly: 'no', 'maxmemory-policy': 'noeviction' };
const redisProcess = spawn(
	server,
	Object.entries(redisArgs).flatMap(([name, value]) => [`--${name}`, value]),
	{ stdio: 'ignore' },
);
const redis = connect({ path: socket }, { maxRetriesPerRequest: null });
redis.on('error', () => {});
await redis.ping();

const service = spawn(
	process.execPath,
	[join(previous, 'services/cli/bin/steelyard.js'), 'serve', '--home', home, '--port', '0'],
	// A process group of its own, so that all of it can be killed at once.
	{ detached: true, env: { ...process.env, REDIS_URL: `unix:${socket}`, STEELYARD_API_KEY: ADMIN }, stdio: ['ignore', 'pipe', 'inherit'] },
);
const [line] = await once(createInterface({ input: service.stdout }), 'line');
const url = /http:\S+/.exec(String(line))?.[0] ?? '';
const client = createClient({ url, apiKey: ADMIN });

/** Kills all that was started. */
function killAll() {
	process.kill(-(/** @type {number} */ (service.pid)), 'SIGKILL');
	redisProcess.kill('SIGKILL');
}
process.on('uncaughtException', (error) => {
	killAll();
	throw error;
});

/** @param {string} id @param {(job: import('@steelyard/contracts').JobResource) => boolean} is */
async function job(id, is) {
	for (;;) {
		const found = await client.jobs.get(id);
		if (is(found)) return found;
		await delay(5);
	}
}
const rows = Array.from(
	{ length: 120 },
	(_, i) => `${i % 2 === 0 ? 20 + (i % 17) : 60 + (i % 23)},${(i * 7) % 11},${i % 2 === 0 ? 'no' : 'yes'}`,
);
const csv = ['age,visits,readmitted', ...rows].join('\n');
const { id: dataset } = await client.datasets.create(new Blob([csv]), 'ward.csv', { label: 'readmitted', name: 'Ward' });
/** @param {string} name @param {number} epochs */
const spec = (name, epochs, more = {}) => ({
	...{ dataset, name, evaluation: { robustness: false } },
	model: { family: /** @type {const} */ ('mlp-fusion'), hidden: 4 },
	training: { epochs, batch_size: 8, early_stopping: null },
	...more,
});
const key = await client.keys.create({ name: 'Ada', scope: 'train', project: 'default' });
const succeeded = await client.jobs.create(spec('succeeded', 2), { idempotencyKey: 'first' });
await job(succeeded.id, ({ status }) => status === 'succeeded');
const sweep = await client.sweeps.create({
	job: spec('trial', 2),
	metric: 'auroc',
	direction: 'maximise',
	space: { 'training.optimizer.learning_rate': { type: 'log-uniform', low: 1e-4, high: 1e-1 } },
	search: { type: 'random' },
	budget: { trials: 2 },
});
while ((await client.sweeps.get(sweep.id)).finished_at === null) await delay(20);

// It is paused and resumed, so that it has a checkpoint, and runs when everything is killed.
const interrupted = await client.jobs.create(spec('interrupted', 1000));
await job(interrupted.id, ({ step }) => (step ?? 0) > 100);
await client.jobs.pause(interrupted.id);
await job(interrupted.id, ({ status }) => status === 'paused');
await client.jobs.resume(interrupted.id);
await job(interrupted.id, ({ status, step, attempt }) => status === 'running' && attempt === 2 && (step ?? 0) > 0);
const queued = await client.jobs.create(spec('queued', 2, { training: { epochs: 2 } }));
const paused = await client.jobs.create(spec('paused', 2));
await client.jobs.pause(paused.id);
const cancelled = await client.jobs.create(spec('cancelled', 2));
await client.jobs.cancel(cancelled.id);
process.kill(-(/** @type {number} */ (service.pid)), 'SIGKILL');
// Until every part has gone, by its connections.
while (
	String(await redis.client('LIST'))
		.trim()
		.split('\n').length > 1
)
	await delay(20);

/** @type {unknown[][]} */
const commands = [];
for (const name of (await redis.keys('*')).sort()) {
	const ms = await redis.pttl(name);
	if (ms >= 0 && ms < SHORT) continue;
	const kind = await redis.type(name);
	if (kind === 'string') commands.push(['SET', name, await redis.get(name)]);
	else if (kind === 'hash') commands.push(['HSET', name, ...Object.entries(await redis.hgetall(name)).flat()]);
	else if (kind === 'list') commands.push(['RPUSH', name, ...(await redis.lrange(name, 0, -1))]);
	else if (kind === 'set') commands.push(['SADD', name, ...(await redis.smembers(name)).sort()]);
	else if (kind === 'zset') {
		const pairs = await redis.zrange(name, 0, -1, 'WITHSCORES');
		commands.push(['ZADD', name, ...pairs.flatMap((member, i) => (i % 2 === 0 ? [pairs[i + 1], member] : []))]);
	} else if (kind === 'stream') for (const [id, fields] of await redis.xrange(name, '-', '+')) commands.push(['XADD', name, id, ...fields]);
	else throw new Error(`${name} is a ${kind}, which this script cannot write down`);
	if (ms >= 0) commands.push(['PEXPIRE', name, ms]);
}
redis.disconnect();
redisProcess.kill('SIGKILL');

const store = join(OWN, 'store');
await rm(store, { recursive: true, force: true });
for (const folder of await readdir(home))
	if (!['redis', 'logs', 'lock', 'audit'].includes(folder)) await cp(join(home, folder), join(store, folder), { recursive: true });
await writeFile(join(OWN, 'redis.jsonl'), `${commands.map((command) => JSON.stringify(command)).join('\n')}\n`);
const ids = Object.fromEntries(Object.entries({ succeeded, interrupted, queued, paused, cancelled }).map(([name, { id }]) => [name, id]));
const commit = execFileSync('git', ['-C', previous, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
const left = { commit, admin: ADMIN, token: key.token, key: key.id, dataset, jobs: ids, sweep: sweep.id };
await writeFile(join(OWN, 'left.json'), `${JSON.stringify(left, null, '\t')}\n`);
await rm(work, { recursive: true });
process.stdout.write(`${commands.length} commands, of ${pathToFileURL(previous).pathname.split('/').at(-1)} at ${commit}\n`);
