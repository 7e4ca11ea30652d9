import { JOB_STATUSES } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';

/** Measures how long every request takes, and serves the figures at `/metrics` in the text form of Prometheus. */
export function addMetrics(app: App, { queue }: { queue: Queue }): void {
	const registry = new Registry();
	collectDefaultMetrics({ register: registry });
	const seconds = new Histogram({
		name: 'steelyard_http_request_duration_seconds',
		help: 'Time to the end of the answer, by route',
		labelNames: ['method', 'route', 'status'],
		buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
		registers: [registry],
	});
	new Gauge({
		name: 'steelyard_jobs',
		help: 'Jobs on record, by status',
		labelNames: ['status'],
		registers: [registry],
		async collect() {
			const counts = await queue.jobs.counts();
			for (const status of JOB_STATUSES) this.set({ status }, counts[status]);
		},
	});
	app.addHook('onResponse', async (request, reply) => {
		// Requests to paths without a route share one series: clients choose those paths, and each would make a series of its own.
		seconds.observe(
			{ method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
			reply.elapsedTime / 1000,
		);
	});
	app.route({
		method: 'GET',
		url: '/metrics',
		schema: { hide: true, response: { 200: Type.String() } },
		handler: async (_request, reply) => {
			reply.type(registry.contentType);
			return registry.metrics();
		},
	});
}
