import type { EpochPoint, JobResource } from '@steelyard/contracts';
import type { Page } from 'playwright-core';
import { job } from '../../services/dashboard/test/job.js';

const idOf = (number: number): string => `job_${String(number).padStart(26, '0')}`;

const shown = (number: number): JobResource => ({
	...job(idOf(number), { status: 'succeeded', name: `Run ${number}`, metrics: { test: { accuracy: 0.5 + (number % 500) / 1000 } } }),
	...{ created_at: 1_700_000_000 + number, started_at: null, finished_at: null, progress: 1, attempt: 1, error: null, eta_seconds: null },
	...{ stage: null, epoch: null, step: null, device: null, modality_weights: null, cancel_requested: false },
});

/** Has the page see a service with so many jobs. */
export async function manyJobs(page: Page, count: number): Promise<void> {
	const all = Array.from({ length: count }, (_, i) => shown(count - i));
	await page.route(/\/v1\/jobs\?/, (route) => {
		const query = new URL(route.request().url()).searchParams;
		const from = query.get('after') === null ? 0 : all.findIndex(({ id }) => id === query.get('after')) + 1;
		const data = all.slice(from, from + Number(query.get('limit') ?? 20));
		const hasMore = from + data.length < count;
		return route.fulfill({ json: { object: 'list', data, has_more: hasMore, next: hasMore ? (data.at(-1)?.id ?? null) : null } });
	});
}

/** Has the page see a job with so many epochs, and gives its id. */
export async function manyEpochs(page: Page, count: number): Promise<string> {
	const id = idOf(1);
	const epochs = Array.from({ length: count }, (_, epoch): EpochPoint => {
		const loss = 1 / (1 + epoch / 100) + 0.01 * Math.sin(epoch);
		return {
			stage: 'fusion',
			model: 'fusion',
			epoch,
			train_loss: loss,
			validation: { loss: loss + 0.05 },
			learning_rate: 1e-3,
			best: epoch === count - 1,
		};
	});
	await page.route(`**/v1/jobs/${id}`, (route) => route.fulfill({ json: shown(1) }));
	await page.route(`**/v1/jobs/${id}/metrics`, (route) => route.fulfill({ json: { object: 'metrics', epochs, weights: [] } }));
	return id;
}
