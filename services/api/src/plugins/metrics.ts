import { abilitiesOf, fits, JOB_STATUSES, type Measured, type Tally } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import type { Room } from '../resources/room.js';
import { addTrainingMetrics } from './training-metrics.js';

/** The most requirements that are told of, those with the most jobs first: each makes series of its own. */
const MOST_REQUIREMENTS = 50;

type Parts = { queue: Queue; room: Room };

/** Registers what is looked at anew for every scrape, and returns the look. What cannot be known, because Redis or the disk is away, is left out of the answer. */
function gaugesOf(registry: Registry, { queue, room }: Parts): () => Promise<void> {
	const clears: (() => void)[] = [];
	const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) => {
		const made = new Gauge({ name: `steelyard_${name}`, help, labelNames, registers: [registry] });
		clears.push(() => (labelNames.length > 0 ? made.reset() : made.remove()));
		return made;
	};
	const jobs = gauge('jobs', 'Jobs on record, by project and status', 'project', 'status');
	const age = gauge('queue_oldest_job_age_seconds', 'Seconds since the oldest job that waits for a worker was posted; 0 where none waits');
	const workers = gauge('workers', 'Workers that are alive');
	const running = gauge('worker_jobs', 'Jobs that a worker runs', 'worker');
	const progress = gauge('running_job_progress_ratio', 'How much of a running job is done, from 0 to 1', 'job');
	const speed = gauge('running_job_rows_per_second', 'Training rows that a running job takes in a second, by its last report', 'job');
	const memory = gauge('running_job_peak_memory_bytes', 'The most memory that the trainer of a running job has taken', 'job');
	const step = gauge('running_job_step_seconds', 'Time of an optimizer step of a running job, by its last report', 'job');
	const refresh = gauge('running_job_refresh_seconds', 'Time of the last refresh of the weights of a running job', 'job');
	const checkpoint = gauge('running_job_checkpoint_seconds', 'Time to write the last checkpoint of a running job', 'job');
	const checkpointBytes = gauge('running_job_checkpoint_bytes', 'Size of the last checkpoint of a running job', 'job');
	const asked = ['device', 'memory_gib', 'labels'] as const;
	const waiting = gauge('jobs_waiting', 'Jobs that wait for a worker, by what they need of it', ...asked);
	const waitingAge = gauge('jobs_waiting_oldest_seconds', 'Seconds since the first of these was posted', ...asked);
	const slots = gauge('worker_slots', 'Jobs that the workers which have what is needed run at the same time', ...asked);
	const freeSlots = gauge('worker_slots_free', 'How many more these would run now', ...asked);
	const wanted = gauge('workers_wanted', 'Slots that the jobs with these needs would fill: those that wait and those that run', ...asked);
	const notices = gauge('notices_waiting', 'Notices of ended jobs that are still to be delivered, or to be tried again');
	const isUp = gauge('redis_up', 'Whether Redis can be used: 1, or 0');
	const latency = gauge('redis_answer_seconds', 'Seconds in which Redis took a write and told its state, measured at the scrape');
	const free = gauge('disk_free_bytes', 'Bytes that can still be written to the disk of the data folder');
	const total = gauge('disk_size_bytes', 'Bytes of the disk of the data folder');
	const reserved = gauge('disk_reserved_bytes', 'Free bytes below which uploads and new jobs are refused');

	let tally: Tally | null = null;
	addTrainingMetrics(registry, () => tally);

	async function lookAtJobs(): Promise<void> {
		const [projects, oldest, alive, undelivered] = await Promise.all([
			queue.jobs.projects(),
			queue.jobs.oldestQueued(),
			queue.workers.list(),
			queue.notices.waiting(),
		]);
		for (const project of projects) {
			const counts = await queue.jobs.counts(project);
			for (const status of JOB_STATUSES) jobs.set({ project, status }, counts[status]);
		}
		age.set(oldest === null ? 0 : Math.max(0, Date.now() / 1000 - oldest.created_at));
		notices.set(undelivered);
		workers.set(alive.length);
		for (const { id, jobs: own } of alive) {
			running.set({ worker: id }, own.length);
			for (const job of await Promise.all(own.map((one) => queue.jobs.get(one)))) {
				if (job?.status !== 'running') continue;
				progress.set({ job: job.id }, job.progress);
				const { rows_per_second: rows, measured = {} as Partial<Measured> } = job;
				for (const [one, value] of [
					[speed, rows],
					[memory, measured.peak_memory_bytes],
					[step, measured.step_seconds],
					[refresh, measured.refresh_seconds],
					[checkpoint, measured.checkpoint_seconds],
					[checkpointBytes, measured.checkpoint_bytes],
				] as const)
					if (value !== undefined) one.set({ job: job.id }, value);
			}
		}
	}
	async function lookAtDemand(): Promise<void> {
		const [demands, alive] = await Promise.all([queue.workers.demand(), queue.workers.list()]);
		const most = demands.sort((a, b) => b.queued + b.running - a.queued - a.running).slice(0, MOST_REQUIREMENTS);
		for (const { needs, queued, running, oldest } of most) {
			const labels = { device: needs.device ?? 'any', memory_gib: needs.memory, labels: needs.labels.join(',') };
			const fitting = alive.filter((worker) => fits(needs, abilitiesOf(worker)));
			waiting.set(labels, queued);
			waitingAge.set(labels, oldest === null ? 0 : Math.max(0, Date.now() / 1000 - oldest));
			slots.set(
				labels,
				fitting.reduce((sum, worker) => sum + (worker.slots ?? 1), 0),
			);
			freeSlots.set(
				labels,
				fitting.reduce((sum, worker) => sum + (worker.free_slots ?? 0), 0),
			);
			wanted.set(labels, queued + running);
		}
	}
	async function lookAtRedis(): Promise<void> {
		const began = performance.now();
		const { ok } = await queue.health();
		isUp.set(ok ? 1 : 0);
		if (!ok) return;
		latency.set((performance.now() - began) / 1000);
		[tally] = await Promise.all([queue.tally.read(), lookAtJobs(), lookAtDemand()]);
	}
	async function lookAtDisk(): Promise<void> {
		const state = await room.state();
		free.set(state.free);
		total.set(state.total);
		reserved.set(state.kept);
	}
	return async () => {
		for (const clear of clears) clear();
		tally = null;
		await Promise.allSettled([lookAtRedis(), lookAtDisk()]);
	};
}

/** Measures how long every request takes, and serves the figures of the service at `/metrics` in the text form of Prometheus. */
export function addMetrics(app: App, parts: Parts): void {
	const registry = new Registry();
	collectDefaultMetrics({ register: registry });
	const seconds = new Histogram({
		name: 'steelyard_http_request_duration_seconds',
		help: 'Time to the end of the answer, by route',
		labelNames: ['method', 'route', 'status'],
		buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
		registers: [registry],
	});
	const look = gaugesOf(registry, parts);
	app.addHook('onResponse', async (request, reply) => {
		// Requests to paths without a route share one series: clients choose those paths, and each would make a series of its own.
		seconds.observe(
			{ method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
			reply.elapsedTime / 1000,
		);
	});
	let scrape: Promise<string> | null = null;
	const scraped = async () => {
		await look();
		return registry.metrics();
	};
	app.route({
		method: 'GET',
		url: '/metrics',
		config: { scope: 'admin' },
		schema: { hide: true, response: { 200: Type.String() } },
		handler: async (_request, reply) => {
			reply.type(registry.contentType);
			// Scrapes at the same time share one look, which none of them begins anew for the others.
			scrape ??= scraped().finally(() => {
				scrape = null;
			});
			return scrape;
		},
	});
}
