import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createClient } from '@steelyard/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BIN, start } from './command.js';

let home: string;
let running: ReturnType<typeof start>[] = [];
beforeEach(async () => {
	home = await mkdtemp(join(tmpdir(), 'steelyard-serve-'));
});
afterEach(async () => {
	for (const child of running) {
		child.kill('SIGKILL');
		await child.ended;
	}
	running = [];
	await gone();
	await rm(home, { recursive: true, force: true });
});

/** `steelyard serve` on a free port, with the Redis in JavaScript. */
function serve(env: NodeJS.ProcessEnv = {}, ...args: string[]): ReturnType<typeof start> {
	const child = start(['serve', ...args], { PATH: '', PORT: '0', STEELYARD_HOME: home, ...env });
	running.push(child);
	return child;
}

async function urlOf(child: ReturnType<typeof start>): Promise<string> {
	return vi.waitFor(
		() => {
			if (child.exitCode !== null) return expect.unreachable(`it ended: ${child.said().stderr}`);
			return /http:\/\/\S+/.exec(child.said().stdout)?.[0] ?? expect.fail('it is not up yet');
		},
		{ timeout: 30_000, interval: 50 },
	);
}

/** Every process that was started with this data folder: all inherit it. */
async function processes(): Promise<{ pid: number; command: string; environment: string }[]> {
	const found = [];
	for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
		const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
		const environment = await read('environ');
		if (`\0${environment}`.includes(`\0STEELYARD_HOME=${home}\0`))
			found.push({ pid, environment, command: (await read('cmdline')).replaceAll('\0', ' ') });
	}
	return found;
}
/** What a process is by its command: a part of the service, a child of one, or what started them. */
const nameOf = ({ command }: { command: string }): string | undefined =>
	/(api|worker).(?:dist|bundle).main/.exec(command)?.[1] ??
	/steelyard\.js serve|trainer-child|read-child|javascript-server/.exec(command)?.[0];
const gone = () => vi.waitFor(async () => expect(await processes()).toEqual([]), { timeout: 20_000, interval: 50 });

// What lives is read from /proc.
describe.skipIf(process.platform !== 'linux')('steelyard serve', () => {
	it.each(['SIGTERM', 'SIGHUP'] as const)('says one line where it listens, and %s ends everything with 0', async (signal) => {
		const child = serve();
		const url = await urlOf(child);
		expect(await createClient({ url }).ready()).toMatchObject({ ready: true, workers: [{ jobs: [] }] });
		await vi.waitFor(async () => {
			const names = (await processes()).map(nameOf);
			expect(names.sort()).toEqual(['api', 'javascript-server', 'read-child', 'steelyard.js serve', 'trainer-child', 'worker']);
		});
		child.kill(signal);
		expect(await child.ended).toMatchObject({ code: 0, stdout: `Steelyard is listening on ${url} (open it in a browser)\n` });
		expect(await processes()).toEqual([]);
		expect((await readdir(join(home, 'logs'))).sort()).toEqual(['api.log', 'worker.log']);
	});

	it('takes one Ctrl-C that comes twice, by way of npm, for one', async () => {
		const child = serve();
		await urlOf(child);
		child.kill('SIGINT');
		child.kill('SIGTERM');
		expect((await child.ended).code).toBe(0);
		expect(await processes()).toEqual([]);
	});

	it('refuses a second start on its data folder, and names who has it', async () => {
		const first = serve();
		await urlOf(first);
		const second = serve();
		expect(await second.ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`in use by process ${first.pid}`) });
		expect(first.exitCode).toBeNull();
	});

	it('ends with 1 where its port is taken, says so, and leaves nothing', async () => {
		const taken = createServer().listen(0, '127.0.0.1');
		await once(taken, 'listening');
		const { port } = taken.address() as { port: number };
		try {
			const child = serve({ PORT: String(port) });
			expect(await child.ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`127.0.0.1:${port} is in use`) });
			expect(await processes()).toEqual([]);
		} finally {
			taken.close();
		}
	});

	it.each(['/proc/none/home', '/dev/null/home'])('ends with 1 where it cannot make its data folder: %s', async (folder) => {
		expect(await serve({ STEELYARD_HOME: folder }).ended).toMatchObject({
			code: 1,
			stdout: '',
			stderr: expect.stringContaining(folder.slice(0, 9)),
		});
	});

	it('ends with 1 where there is no room to queue again what ran, and leaves nothing', async () => {
		const id = 'job_01m8meqwgz4mt0hezw5cbpbt01';
		const folder = join(home, 'jobs', id);
		await mkdir(folder, { recursive: true });
		const record = {
			id,
			object: 'job',
			status: 'running',
			created_at: 1,
			attempt: 1,
			spec: { model: { family: 'mlp-fusion' }, training: {}, metadata: { long: 'x'.repeat(4096) } },
		};
		await writeFile(join(folder, 'job.json'), JSON.stringify(record));
		// No file may have more than two blocks of 512 bytes, as on a disk that is full.
		const shell = ['-c', 'ulimit -f 2; exec "$@"', 'sh', process.execPath, BIN, 'serve'];
		const child = spawn('/bin/sh', shell, { env: { PATH: '', PORT: '0', STEELYARD_HOME: home }, stdio: ['ignore', 'ignore', 'pipe'] });
		try {
			const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
			expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('file too large') });
		} finally {
			child.kill('SIGKILL');
		}
	});

	it('gives its key to the API alone', async () => {
		const key = 'planted-marker-1';
		await urlOf(serve({ STEELYARD_API_KEY: key, LOG_LEVEL: 'trace' }));
		const holders = (await processes()).filter(({ environment }) => environment.includes(key));
		expect(holders.map(nameOf).sort()).toEqual(['api', 'steelyard.js serve']);
		for (const name of await readdir(join(home, 'logs'))) expect(await readFile(join(home, 'logs', name), 'utf8')).not.toContain(key);
	});

	it('keeps its data folder from other users', async () => {
		await rm(home, { recursive: true });
		await urlOf(serve());
		expect((await stat(home)).mode & 0o077).toBe(0);
	});

	it('that is killed takes its processes with it', async () => {
		const child = serve();
		await urlOf(child);
		child.kill('SIGKILL');
		await child.ended;
		await gone();
	});

	it('ends when the npm that started it was ended', async () => {
		const shell = spawn('/bin/sh', ['-c', `"${process.execPath}" "${BIN}" serve; true`], {
			env: { PATH: '', PORT: '0', STEELYARD_HOME: home, npm_lifecycle_event: 'start' },
			stdio: ['ignore', 'pipe', 'ignore'],
		});
		await once(shell.stdout, 'data');
		shell.kill('SIGTERM');
		await gone();
	});

	it('starts a part that died again, on the same address, and says so', async () => {
		const child = serve();
		const url = await urlOf(child);
		for (const part of ['api', 'worker']) {
			const { pid } = (await processes()).find((one) => nameOf(one) === part) ?? expect.unreachable(`no ${part}`);
			process.kill(pid, 'SIGKILL');
			await vi.waitFor(
				async () => {
					const next = (await processes()).find((one) => nameOf(one) === part);
					expect(next?.pid ?? pid).not.toBe(pid);
				},
				{ timeout: 20_000, interval: 50 },
			);
			expect(child.said().stderr).toMatch(new RegExp(`the ${part} ended with SIGKILL; it is started again`));
		}
		await vi.waitFor(async () => expect((await createClient({ url }).ready()).ready).toBe(true), { timeout: 20_000, interval: 50 });
	});

	it('logs to stderr with LOG=stderr, and gives its address as JSON with --json', async () => {
		const child = serve({ LOG: 'stderr' }, '--json');
		const url = await urlOf(child);
		child.kill('SIGTERM');
		const { code, stdout, stderr } = await child.ended;
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toEqual({ url: url.replace(/"}$/, '') });
		expect(stderr).toMatch(/"name":"api".*"msg":"listening"/);
		expect(stderr).toMatch(/"name":"worker".*"msg":"taking jobs"/);
	});
});
