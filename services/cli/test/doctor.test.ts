import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readiness } from '@steelyard/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../src/doctor.js';
import { answer, type FakeService, fakeService, run } from './command.js';

let home: string;
let service: FakeService;
beforeEach(async () => {
	home = await mkdtemp(join(tmpdir(), 'steelyard-doctor-'));
	service = await fakeService();
});
afterEach(async () => {
	await service.close();
	await rm(home, { recursive: true });
});

const worker = (version: string): Readiness['workers'][number] => ({
	...{ id: 'one', pid: 1, started_at: 1, version, jobs: ['job_1'] },
	devices: { cpu: { available: true }, cuda: { available: false, note: 'no GPU' } },
});

/** Has the service answer that it is ready, or for what reason it is not, by a clock that is `behind` milliseconds behind. */
function serve(note: string | null, workers: Readiness['workers'], behind = 0): void {
	const redis = { ok: note === null, version: '7.0.15', eviction_policy: 'noeviction', kind: 'binary', note };
	const readiness: Readiness = { ready: note === null, redis, store: { ok: true, free_bytes: 1e12, note: null }, workers };
	service.on('GET /readyz', (response) => answer(response, readiness, note === null ? 200 : 503));
	service.on('GET /healthz', (response) => response.writeHead(200, { date: new Date(Date.now() - behind).toUTCString() }).end('{}'));
}

async function doctor(env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; findings: Record<string, Finding> }> {
	const { code, stdout } = await run(['doctor', '--home', home, '--json'], { STEELYARD_URL: service.url, ...env });
	const { findings } = JSON.parse(stdout) as { findings: Finding[] };
	return { code, findings: Object.fromEntries(findings.map((finding) => [finding.name, finding])) };
}

describe('steelyard doctor', () => {
	it('finds nothing wrong where nothing is', async () => {
		serve(null, [worker('0.1.0')]);
		const { code, findings } = await doctor({ REDIS_SERVER_BIN: '/bin/redis-server', STEELYARD_DISK_RESERVE: '0' });
		expect(code).toBe(0);
		for (const name of ['version', 'data folder', 'disk', 'records', 'Redis', 'service', 'workers', 'clock'])
			expect(findings[name], name).toMatchObject({ state: 'fine', fix: null });
	});

	it('says what is wrong, and what to do', async () => {
		serve('OOM command not allowed', [worker('0.0.9')], 3_600_000);
		await mkdir(join(home, 'jobs/job_1'), { recursive: true });
		await writeFile(join(home, 'jobs/job_1/job.json.damaged'), '{');
		await chmod(home, 0o755);
		const { code, findings } = await doctor({ PATH: '', STEELYARD_DISK_RESERVE: String(Number.MAX_SAFE_INTEGER) });
		expect(code).toBe(1);
		expect(findings['data folder']).toMatchObject({ state: 'notice', fix: `chmod 700 ${home}` });
		expect(findings['disk']).toMatchObject({ state: 'fault', found: expect.stringContaining('new ones are refused') });
		expect(findings['records']).toMatchObject({ state: 'notice', found: expect.stringContaining('jobs/job_1/job.json.damaged') });
		expect(findings['Redis']).toMatchObject({ state: 'notice', fix: 'install redis-server' });
		expect(findings['service']).toMatchObject({ state: 'fault', found: expect.stringContaining('OOM command not allowed') });
		expect(findings['versions']).toMatchObject({ state: 'notice', found: expect.stringContaining('0.0.9') });
		expect(findings['clock']).toMatchObject({ state: 'notice', found: expect.stringMatching(/-3,(599|600|601) s/) });
	});

	it('needs no service, and names a folder and a Redis that cannot be used', async () => {
		await rm(home, { recursive: true });
		await writeFile(home, 'a file');
		const { code, findings } = await doctor({ STEELYARD_URL: 'http://127.0.0.1:1', REDIS_URL: 'redis://me:secret@127.0.0.1:1' });
		expect(code).toBe(1);
		expect(findings['data folder']).toMatchObject({ state: 'fault', found: expect.stringContaining('ENOTDIR') });
		expect(findings['Redis']).toMatchObject({ state: 'fault', found: expect.stringMatching(/^(?!.*secret).*ECONNREFUSED/) });
		expect(findings['service']).toMatchObject({ state: 'notice', found: expect.stringContaining('none answers') });
	});
});
