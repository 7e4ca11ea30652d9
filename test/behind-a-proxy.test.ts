import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from '@steelyard/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf } from './documents/markdown.js';
import { type Running, serve } from './serving.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NGINX =
	[...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].map((folder) => join(folder, 'nginx')).find(existsSync) ?? null;
const KEY = 'a-key-behind-a-proxy-0123456789';

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	await promisify(server.close.bind(server))();
	return port;
}

/** The server of docs/deploying.md on another port, without TLS, in front of a service at `url`; all files of nginx are in `folder`. */
async function configuration(folder: string, { url, port }: { url: string; port: number }): Promise<string> {
	const [block] = blocksOf(await readFile(join(ROOT, 'docs/deploying.md'), 'utf8')).filter(({ language }) => language === 'nginx');
	const server = (block?.text ?? '')
		.replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
		.replace(/^\s*ssl_.*$/gm, '')
		.replace('http://127.0.0.1:8080', url);
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
	return [
		`daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;`,
		'events { worker_connections 64; }',
		`http { access_log off; ${temporary.join(' ')} ${server} }`,
	].join('\n');
}

describe.skipIf(NGINX === null)('behind nginx, under a path, as docs/deploying.md sets it up', () => {
	let folder: string;
	let service: Running;
	let nginx: ChildProcess;
	let outside: string;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'steelyard-proxy-'));
		service = await serve(join(folder, 'home'), { STEELYARD_API_KEY: KEY, STEELYARD_PROXIES: '127.0.0.1' });
		const port = await freePort();
		await writeFile(join(folder, 'nginx.conf'), await configuration(folder, { url: service.url, port }));
		const options = ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log'), '-p', folder];
		await promisify(execFile)(NGINX as string, ['-t', ...options]);
		nginx = spawn(NGINX as string, options, { stdio: 'ignore' });
		outside = `http://127.0.0.1:${port}/steelyard`;
		while ((await fetch(`${outside}/healthz`).catch(() => null))?.status !== 200) await setTimeout(20);
	});
	afterAll(async () => {
		nginx.kill('SIGQUIT');
		await new Promise((resolve) => nginx.once('exit', resolve));
		await service.stop();
		await rm(folder, { recursive: true, force: true });
	});

	it('serves the page, and the files that it names', async () => {
		const page = await (await fetch(`${outside}/`)).text();
		const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
		expect(files.length).toBeGreaterThan(1);
		for (const file of files) expect((await fetch(new URL(file, `${outside}/`))).status).toBe(200);
		const viewer = await fetch(`${outside}/docs`);
		expect([viewer.status, viewer.url]).toEqual([200, `${outside}/docs/`]);
	});

	it('takes what a page of its own name posts, and names what was made by its whole path', async () => {
		const made = await fetch(`${outside}/v1/keys`, {
			method: 'POST',
			headers: { authorization: `Bearer ${KEY}`, origin: 'https://models.example.org', 'content-type': 'application/json' },
			body: JSON.stringify({ name: 'Ada', scope: 'train' }),
		});
		expect(made.status).toBe(201);
		const { id } = (await made.json()) as { id: string };
		expect(new URL(made.headers.get('location') ?? '', outside).pathname).toBe(`/steelyard/v1/keys/${id}`);
	});

	it('passes uploads on, and events as they happen', async () => {
		const client = createClient({ url: outside, apiKey: KEY });
		const table = Array.from({ length: 300 }, (_, row) => `${row % 2 ? 'yes' : 'no'},${row % 2},${'word '.repeat(700)}${row}`).join('\n');
		expect(table.length).toBeGreaterThan(1e6); // the most that nginx takes unless told otherwise
		const dataset = await client.datasets.create(new Blob([`label,number,note\n${table}\n`]), 'rows.csv', { label: 'label' });
		const stop = new AbortController();
		const changes = client.jobs.watch({ signal: stop.signal })[Symbol.asyncIterator]();
		const first = changes.next();
		const job = await client.jobs.create({ dataset: dataset.id, training: { epochs: 1 } });
		// The stream goes on for ever, so that a proxy which held it back would give nothing.
		expect((await first).done).toBe(false);
		stop.abort();
		let last = '';
		for await (const event of client.jobs.events(job.id)) if (event.type === 'status') last = event.status;
		expect(last).toBe('succeeded');
	});
});
