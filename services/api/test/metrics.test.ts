import { readFile } from 'node:fs/promises';
import { DEFAULT_PROJECT, type Tally, tallyCount, tallyValue } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildApp } from '../src/app.js';
import { addDataset, addJob, openService, type Service, silent, worker } from './service.js';

const ROOT = new URL('../../../', import.meta.url);

type Panel = { id: number; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] };
type Sample = { name: string; labels: Record<string, string>; value: number };

/** The samples of a scrape, and the help and the type of each metric. Throws where a line is neither. */
function parsed(text: string): { samples: Sample[]; help: Map<string, string>; type: Map<string, string> } {
	const samples: Sample[] = [];
	const help = new Map<string, string>();
	const type = new Map<string, string>();
	for (const line of text.split('\n').filter((one) => one !== '')) {
		const [, kind, of = '', said = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
		if (kind !== undefined) {
			(kind === 'HELP' ? help : type).set(of, said);
			continue;
		}
		const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? expect.unreachable(`no sample: ${line}`);
		const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text]);
		samples.push({
			name,
			labels: Object.fromEntries(pairs),
			value: value === 'Nan' ? Number.NaN : Number(value.replace('+Inf', 'Infinity')),
		});
	}
	return { samples, help, type };
}

let service: Service;
let running: string;
let waiting: string;
const measured = { peak_memory_bytes: 1e9, step_seconds: 0.125, refresh_seconds: 2, checkpoint_seconds: 0.5, checkpoint_bytes: 1000 };
let text: string;
beforeAll(async () => {
	service = await openService();
	const dataset = await addDataset(service.app);
	running = (await addJob(service.app, dataset)).id;
	await service.queue.claim(running);
	await service.queue.jobs.update(running, { progress: 0.5, rows_per_second: 123.5, measured });
	waiting = (await addJob(service.app, dataset)).id;
	await addJob(service.app, dataset);
	await service.queue.workers.announce({ ...worker('one', null), jobs: [running] });
	const tally: Tally = {};
	tallyValue(tally, 'step_seconds', 0.125, 4);
	tallyValue(tally, 'step_seconds', 1e3);
	tallyCount(tally, 'rows', 96);
	tallyCount(tally, 'attempts', 3, 'crashed');
	tallyCount(tally, 'notices', 2, 'given_up');
	await service.queue.tally.add(tally);
	text = (await service.app.inject('/metrics')).body;
});
afterAll(() => service.close());

describe('the metrics', () => {
	it('are whole, with a help for each, and units in the names', () => {
		const { samples, help, type } = parsed(text);
		const own = [...type.keys()].filter((name) => name.startsWith('steelyard_'));
		expect(own.length).toBeGreaterThan(10);
		for (const name of own) expect(help.get(name)?.length, name).toBeGreaterThan(10);
		for (const { name, value } of samples) if (name.startsWith('steelyard_')) expect(value, name).toBeGreaterThanOrEqual(0);
	});

	it('say how many jobs wait and how long, who runs what and how fast, how Redis answers and what room there is', async () => {
		const { samples } = parsed(text);
		const value = (name: string, labels = {}) =>
			samples.find((one) => one.name === `steelyard_${name}` && JSON.stringify(one.labels) === JSON.stringify(labels))?.value;
		expect(value('jobs', { project: DEFAULT_PROJECT, status: 'queued' })).toBe(2);
		expect(value('jobs', { project: DEFAULT_PROJECT, status: 'running' })).toBe(1);
		expect((await service.queue.jobs.oldestQueued())?.id).toBe(waiting);
		expect(value('queue_oldest_job_age_seconds')).toBeLessThan(600);
		expect(value('workers')).toBe(1);
		expect(value('worker_jobs', { worker: 'one' })).toBe(1);
		expect(value('running_job_progress_ratio', { job: running })).toBe(0.5);
		expect(value('running_job_rows_per_second', { job: running })).toBe(123.5);
		for (const [name, one] of Object.entries(measured)) expect(value(`running_job_${name}`, { job: running }), name).toBe(one);
		const any = { device: 'any', memory_gib: '0', labels: '' };
		expect(value('jobs_waiting', any)).toBe(2);
		expect(value('jobs_waiting_oldest_seconds', any)).toBeLessThan(600);
		expect(value('worker_slots', any)).toBe(1);
		expect(value('worker_slots_free', any)).toBe(0);
		expect(value('workers_wanted', any)).toBe(3);
		expect(value('notices_waiting')).toBe(0);
		expect(value('redis_up')).toBe(1);
		expect(value('redis_answer_seconds')).toBeGreaterThan(0);
		expect(value('disk_size_bytes')).toBeGreaterThan(value('disk_free_bytes') as number);
		expect(value('disk_reserved_bytes')).toBeGreaterThan(0);
	});

	it('sum up the training of all jobs: how long steps took, on how many rows, and how attempts ended', () => {
		const { samples, type } = parsed(text);
		const of = (name: string) => samples.filter((one) => one.name === `steelyard_training_${name}`);
		expect(type.get('steelyard_training_step_seconds')).toBe('histogram');
		expect(type.get('steelyard_training_rows_total')).toBe('counter');
		const buckets = of('step_seconds_bucket').map(({ labels, value }): [string, number] => [labels['le'] as string, value]);
		expect(buckets.map(([, count]) => count)).toEqual([...Array(7).fill(0), ...Array(5).fill(4), 5]);
		expect([buckets[0]?.[0], buckets.at(-1)?.[0]]).toEqual(['0.0001', '+Inf']);
		expect([of('step_seconds_sum')[0]?.value, of('step_seconds_count')[0]?.value]).toEqual([1000.5, 5]);
		expect(of('rows_total')).toMatchObject([{ labels: {}, value: 96 }]);
		expect(of('attempts_total')).toMatchObject([{ labels: { end: 'crashed' }, value: 3 }]);
		expect(samples.filter(({ name }) => name === 'steelyard_notice_tries_total')).toMatchObject([
			{ labels: { end: 'given_up' }, value: 2 },
		]);
		expect(of('refresh_seconds_count')).toMatchObject([{ value: 0 }]);
	});

	it('are there while Redis and the disk are away, without what nobody knows then', async () => {
		const files = { ...service.store.files, space: async () => Promise.reject(new Error('EIO')) };
		const store = { ...service.store, files };
		let ok = true;
		const health = async () => ({ ok, version: null, eviction_policy: null, kind: 'url', note: null });
		const queue = Object.assign(Object.create(service.queue), { health });
		const app = await buildApp({ config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 }, queue, store, log: silent });
		try {
			const names = async () => parsed((await app.inject('/metrics')).body).samples.map(({ name }) => name);
			expect(await names()).toContain('steelyard_jobs');
			ok = false;
			const response = await app.inject('/metrics');
			expect(response.statusCode).toBe(200);
			expect(response.body).toMatch(/^steelyard_redis_up 0$/m);
			for (const name of [
				'jobs',
				'workers',
				'notices_waiting',
				'worker_jobs',
				'redis_answer_seconds',
				'disk_free_bytes',
				'training_rows_total',
				'training_step_seconds_count',
			])
				expect(await names()).not.toContain(`steelyard_${name}`);
		} finally {
			await app.close();
		}
	});

	it('are all that the alert rules and the dashboard name, and the document lists every one of the service', async () => {
		const { samples, type } = parsed(text);
		const known = new Set(samples.map(({ name }) => name));
		const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');
		const rules = parse(await read('docker/prometheus/alerts.yml')).groups.flatMap((group: { rules: { expr: string }[] }) => group.rules);
		const { panels } = JSON.parse(await read('docker/grafana/steelyard.json')) as { panels: Panel[] };
		const expressions: string[] = [...rules, ...panels.flatMap(({ targets }) => targets)].map(({ expr }) => expr);
		expect(expressions.length).toBeGreaterThan(15);
		for (const expression of expressions) {
			const names = expression.match(/\b(steelyard|process|nodejs)_\w+/g) ?? [];
			expect(names, expression).not.toEqual([]);
			for (const name of names) expect(known, expression).toContain(name);
		}
		expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
		const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
			Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
		);
		expect(new Set(cells).size).toBe(cells.length);
		const documented = [...(await read('docs/deploying.md')).matchAll(/^\| `(steelyard_\w+)`/gm)].map(([, name]) => name);
		expect(documented.sort()).toEqual([...type.keys()].filter((name) => name.startsWith('steelyard_')).sort());
	});
});
