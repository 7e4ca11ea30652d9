import { JOB_STATUSES } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { App } from '../app.js';

/** Times every request and gives the figures out in the text form of Prometheus. */
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
		// A path that no route has is named by nobody's choice but the client's, and would be a new series each.
		seconds.observe(
			{ method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
			reply.elapsedTime / 1000,
		);
	});
	app.route({
		method: 'GET',
		url: '/metrics',
		schema: { hide: true },
		handler: async (_request, reply) => reply.type(registry.contentType).send((await registry.metrics()) as never),
	});
}
