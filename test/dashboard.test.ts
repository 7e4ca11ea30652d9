import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@steelyard/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, openBrowser } from './chromium.js';
import { axeFindings, mainThreadSeconds, openPage, tabTo, tooWide, type Watched } from './dashboard/browser.js';
import { manyEpochs, manyJobs } from './dashboard/many.js';
import { type Running, serve } from './serving.js';

const VISITS = fileURLToPath(new URL('../services/cli/sample/visits.csv', import.meta.url));
/** Milliseconds in which a sample is trained, also on a busy machine. */
const TRAINED = 180_000;

/** Scrolls an element from its beginning to its end in so many frames. */
const SCROLL = new Function(
	'element',
	'frames',
	`return (async () => {
		for (let frame = 0; frame < frames; frame++) {
			element.scrollTop = (frame * element.scrollHeight) / frames;
			await new Promise((resolve) => requestAnimationFrame(resolve));
		}
	})();`,
) as (element: unknown, frames: number) => Promise<void>;

/** Waits on the page of a job until it has succeeded. */
async function succeeded(page: Page): Promise<string> {
	await page.waitForURL(/#\/jobs\/job_/, { timeout: TRAINED });
	await page.getByRole('link', { name: 'Try it' }).waitFor({ timeout: TRAINED });
	return /job_[0-9a-z]+/.exec(page.url())?.[0] ?? '';
}

/** Checks that a downloaded model is the one that the service lists. */
async function expectModel(url: string, job: string, path: string): Promise<void> {
	const { data } = await createClient({ url }).jobs.artifacts(job);
	const listed = data.find(({ name }) => name === 'model.onnx');
	expect(
		createHash('sha256')
			.update(await readFile(path))
			.digest('hex'),
	).toBe(listed?.sha256);
}

describe.skipIf(CHROMIUM === null)('the page of the service, in Chromium', () => {
	let browser: Browser;
	const homes: string[] = [];
	const services: Running[] = [];
	const start = async (env: NodeJS.ProcessEnv = {}): Promise<Running> => {
		const home = await mkdtemp(join(tmpdir(), 'steelyard-page-'));
		homes.push(home);
		const service = await serve(home, env);
		services.push(service);
		return service;
	};
	let service: Running;
	const open = (at: Running, options?: Parameters<typeof openPage>[2]): Promise<Watched> => openPage(browser, at.url, options);
	beforeAll(async () => {
		browser = await openBrowser();
		service = await start();
	});
	afterAll(async () => {
		await browser.close();
		for (const one of services) await one.stop();
		for (const home of homes) await rm(home, { recursive: true, force: true });
	});

	describe('from nothing to a model', () => {
		it('by mouse: the sample, its training, the file and a prediction', async () => {
			const { page, faults } = await open(service, { acceptDownloads: true });
			await page.goto('/');
			await page.getByRole('button', { name: /sample/i }).click();
			const job = await succeeded(page);
			await page.getByRole('link', { name: 'Files' }).click();
			const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'model.onnx' }).click()]);
			await expectModel(service.url, job, await download.path());
			await page.getByRole('link', { name: 'Try it' }).click();
			await page.getByRole('button', { name: 'Predict' }).click();
			await page
				.getByText(/ham|spam/)
				.first()
				.waitFor();
			expect(faults).toEqual([]);
		});

		it('by keyboard alone', async () => {
			const fresh = await start();
			const { page, faults } = await open(fresh, { acceptDownloads: true });
			await page.goto('/');
			await tabTo(page, 'button', /sample/i);
			await page.keyboard.press('Enter');
			const job = await succeeded(page);
			await tabTo(page, 'link', 'Files');
			await page.keyboard.press('Enter');
			await tabTo(page, 'link', 'model.onnx');
			const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
			await expectModel(fresh.url, job, await download.path());
			await tabTo(page, 'link', 'Try it');
			await page.keyboard.press('Enter');
			await tabTo(page, 'button', 'Predict');
			await page.keyboard.press('Enter');
			await page
				.getByText(/ham|spam/)
				.first()
				.waitFor();
			expect(faults).toEqual([]);
			await fresh.stop();
		});

		it("from a table of one's own, whose columns are shown before it is sent", async () => {
			const { page, faults } = await open(service);
			await page.goto('/#/data/new');
			await page.locator('input[type=file]').setInputFiles(VISITS);
			await page.getByRole('button', { name: 'Predict readmitted' }).click();
			await page.getByLabel('Role of pulse').selectOption('ignored');
			await page.getByRole('button', { name: 'Upload' }).click();
			await page.waitForURL(/#\/data\/ds_/, { timeout: 60_000 });
			await page.getByRole('link', { name: 'Train on it' }).click();
			await page.getByRole('button', { name: 'Train' }).click();
			await succeeded(page);
			await page.getByRole('link', { name: 'Try it' }).click();
			await page.getByRole('button', { name: 'Predict' }).click();
			await page
				.getByText(/yes|no/)
				.first()
				.waitFor();
			expect(faults).toEqual([]);
		});
	});

	it('sweeps the settings of a job: refuses at the field, shows trials live, pauses, goes on, and leads to the best model', async () => {
		const { page, faults } = await open(service);
		const client = createClient({ url: service.url });
		const [job] = (await client.jobs.list({ name: 'Sample mail' })).data;
		await page.goto(`/#/jobs/${job?.id}`);
		await page.getByRole('link', { name: 'Sweep', exact: true }).click();
		await page.getByText('2 settings vary').waitFor();
		// Trials of an epoch each, of which only one is under way, so that the sweep is seen running.
		const text = page.getByLabel('Spec of the sweep as JSON');
		const spec = JSON.parse(await text.inputValue());
		const space = {
			'training.optimizer.learning_rate': { type: 'log-uniform', low: 0.1, high: 0.001 },
			'training.batch_size': spec.space['training.batch_size'],
		};
		await text.fill(
			JSON.stringify({
				...spec,
				job: { ...spec.job, training: { epochs: 1 } },
				name: 'Of the page',
				space,
				budget: { trials: 4 },
				concurrency: 1,
			}),
		);
		const start = page.getByRole('button', { name: 'Start the sweep' });
		await start.click();
		const high = page.getByLabel('High').first();
		await expect.poll(() => high.getAttribute('aria-invalid')).toBe('true');
		await page.getByText('must be above low (0.1), found 0.001').first().waitFor();
		await high.fill('0.5');
		await start.click();
		await page.waitForURL(/#\/sweeps\/swp_/);
		await page.getByRole('heading', { level: 1, name: 'Of the page' }).waitFor();
		await page.getByRole('button', { name: 'Pause' }).click();
		await page.getByText(/It is paused/).waitFor();
		await page.getByRole('button', { name: 'Resume' }).click();
		await page.getByText('All trials were made. 4 trials ran to the end.').waitFor({ timeout: TRAINED });
		expect(await page.getByRole('region', { name: 'Leaderboard' }).getByRole('row').count()).toBe(5);
		await page.getByRole('figure').nth(1).waitFor();
		const id = /swp_[0-9a-z]+/.exec(page.url())?.[0] ?? '';
		const { best } = await client.sweeps.get(id);
		await page.getByRole('link', { name: 'See its job' }).click();
		await page.waitForURL(new RegExp(`#/jobs/${best?.jobs[0]}`));
		await page
			.getByRole('link', { name: /^Sweep swp_/ })
			.first()
			.waitFor();
		await page.goto(`/#/jobs?find=${id}`);
		await page.getByText(/^4 jobs of /).waitFor();
		expect(faults.filter((fault) => !/400 \(Bad Request\)/.test(fault))).toEqual([]);
	});

	it('asks before a sweep is cancelled, or deleted, and says meanwhile that it stops', async () => {
		const { page } = await open(service);
		const client = createClient({ url: service.url });
		const [job] = (await client.jobs.list({ name: 'Sample mail' })).data;
		const sweep = await client.sweeps.create({
			name: 'To be cancelled',
			job: { dataset: job?.spec.dataset ?? '', training: { epochs: 100_000, early_stopping: null } },
			space: { 'training.batch_size': { type: 'choice', values: [16, 32] } },
			budget: { trials: 2 },
		});
		await page.goto('/#/sweeps');
		await page.getByRole('link', { name: 'To be cancelled' }).click();
		await page.getByRole('button', { name: 'Cancel' }).click();
		await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
		expect((await client.sweeps.get(sweep.id)).finished_at).toBeNull();
		await page.getByRole('button', { name: 'Cancel' }).click();
		await page.getByRole('button', { name: 'Cancel it' }).click();
		await page.getByText('It was cancelled.').waitFor();
		await page.getByText('The job was cancelled.').first().waitFor();
		await page.getByRole('button', { name: 'Delete' }).click();
		await page.getByRole('button', { name: 'Delete it' }).click();
		await page.waitForURL(/#\/sweeps$/);
		await page.getByRole('link', { name: 'To be cancelled' }).waitFor({ state: 'detached' });
	});

	it('goes on by itself after the API was killed, and says so meanwhile', async () => {
		const { page } = await open(service);
		await page.goto('/#/jobs');
		await page.getByRole('link', { name: 'Sample mail' }).first().waitFor();
		const { workers } = await createClient({ url: service.url }).ready();
		expect(workers).toHaveLength(1);
		const lost = page.getByText(/connection to the service is lost/i);
		process.kill(await apiOf(service), 'SIGKILL');
		await lost.waitFor();
		// The service starts its API again, and what happens then is seen without loading the page again.
		await lost.waitFor({ state: 'detached', timeout: 60_000 });
		const client = createClient({ url: service.url });
		const [dataset] = (await client.datasets.list()).data;
		await client.jobs.create({ dataset: dataset?.id ?? '', name: 'After the kill', training: { epochs: 1 } });
		await page.getByRole('link', { name: 'After the kill' }).waitFor();
	});

	it('holds no connection while nobody sees it, and shows what has happened when it is seen again', async () => {
		const { page } = await open(service);
		const see = (isHidden: boolean) =>
			page.evaluate(
				`Object.defineProperty(document, 'hidden', { get: () => ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'));`,
			);
		await page.goto('/#/jobs');
		await page.getByRole('link', { name: 'Sample mail' }).first().waitFor();
		const isStream = (request: { url(): string }) => request.url().endsWith('/v1/job-changes');
		await Promise.all([page.waitForEvent('requestfailed', isStream), see(true)]);
		const client = createClient({ url: service.url });
		const [dataset] = (await client.datasets.list()).data;
		await client.jobs.create({ dataset: dataset?.id ?? '', name: 'While nobody looked', training: { epochs: 1 } });
		await Promise.all([page.waitForRequest(isStream), see(false)]);
		await page.getByRole('link', { name: 'While nobody looked' }).waitFor();
	});

	it('asks for a key where the service wants one, and keeps it in the session alone', async () => {
		const key = 'a-key-of-the-service-0123456789';
		const guarded = await start({ STEELYARD_API_KEY: key });
		const { page } = await open(guarded);
		await page.goto('/#/jobs');
		await page.getByRole('button', { name: 'Give a key' }).click();
		await page.getByLabel('Key', { exact: true }).fill('a-wrong-key');
		await page.getByRole('button', { name: 'Use it' }).click();
		await page
			.getByRole('dialog')
			.getByText(/wrong, has expired or was revoked/)
			.waitFor();
		await page.getByLabel('Key', { exact: true }).fill(key);
		await page.getByRole('button', { name: 'Use it' }).click();
		await page.getByText('There are no jobs yet').waitFor();
		expect(await page.evaluate('JSON.stringify({ ...localStorage })')).not.toContain(key);
		expect(page.url()).not.toContain(key);
		const { page: other } = await open(guarded);
		await other.goto('/#/jobs');
		await other.getByRole('button', { name: 'Give a key' }).waitFor();
		await guarded.stop();
	});

	it('saves each picture as SVG, PNG and CSV', async () => {
		const { page, faults } = await open(service, { acceptDownloads: true });
		const [job] = (await createClient({ url: service.url }).jobs.list({ name: 'Sample mail' })).data;
		await page.goto(`/#/jobs/${job?.id}?tab=weights`);
		const figures = page.getByRole('figure');
		await figures.nth(1).waitFor();
		for (const figure of (await figures.all()).slice(0, 2))
			for (const [kind, start] of [
				['SVG', '<svg'],
				['PNG', '\u0089PNG'],
				['CSV', ''],
			] as const) {
				const button = figure.getByRole('button', { name: new RegExp(`as ${kind}$`) });
				const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
				const bytes = await readFile(await download.path());
				expect(bytes.toString('latin1').startsWith(start)).toBe(true);
				expect(bytes.length).toBeGreaterThan(100);
				if (kind === 'SVG') expect(bytes.toString()).not.toContain('var(--');
			}
		expect(faults).toEqual([]);
	});

	describe('every page', () => {
		let places: Record<string, string>;
		beforeAll(async () => {
			const client = createClient({ url: service.url });
			const [job] = (await client.jobs.list({ name: 'Sample mail' })).data;
			const all = (await client.jobs.list({ status: ['succeeded'] })).data;
			const id = job?.id ?? '';
			places = {
				start: '/#/',
				data: '/#/data',
				upload: '/#/data/new',
				dataset: `/#/data/${job?.spec.dataset}`,
				jobs: '/#/jobs',
				'new job': `/#/jobs/new?dataset=${job?.spec.dataset}`,
				...Object.fromEntries(
					['overview', 'training', 'weights', 'evaluation', 'diagnostics', 'log', 'files', 'spec'].map((tab) => [
						tab,
						`/#/jobs/${id}?tab=${tab}`,
					]),
				),
				'try it': `/#/jobs/${id}/try`,
				sweeps: '/#/sweeps',
				'new sweep': `/#/sweeps/new?from=${id}`,
				sweep: `/#/sweeps/${(await client.sweeps.list({ limit: 1 })).data[0]?.id}`,
				compare: `/#/compare?${all.map((one) => `job=${one.id}`).join('&')}`,
				service: '/#/service',
				'no page': '/#/nowhere',
			};
		});

		it.each([
			['light', 1280],
			['dark', 800],
			['light', 360],
		] as const)('has nothing that axe objects to, and fits: %s, %i pixels wide', async (colorScheme, width) => {
			const { page, faults } = await open(service, { colorScheme, viewport: { width, height: 800 } });
			const found: string[] = [];
			for (const [name, at] of Object.entries(places)) {
				await page.goto(at);
				await page.getByRole('heading', { level: 1 }).waitFor();
				await page.getByText('Loading …').first().waitFor({ state: 'detached' });
				for (const one of await axeFindings(page)) found.push(`${name}: ${one}`);
				const wide = await tooWide(page);
				if (wide > 0) found.push(`${name}: ${wide} pixels too wide`);
			}
			expect(found).toEqual([]);
			expect(faults).toEqual([]);
		});
	});

	describe('with very much to show', () => {
		/** What a frame may take of the main thread, so that 50 can be drawn in a second. */
		const FRAME = 0.02;
		/** How much longer a frame may take on a machine that is slow and has much else to do; a list that draws every row takes ten times as long and more. */
		const SLACK = 3;

		it('2,000 jobs scroll in 20 ms of the main thread a frame, and only those that are seen are drawn', async () => {
			const { page, faults } = await open(service, { viewport: { width: 1280, height: 800 } });
			await manyJobs(page, 2000);
			await page.goto('/#/jobs');
			await page.getByText('2,000 jobs').waitFor();
			const list = page.getByRole('region', { name: 'Jobs' });
			const frames = 120;
			const seconds = await mainThreadSeconds(page, () => list.evaluate(SCROLL, frames));
			expect(await page.getByRole('row').count()).toBeLessThan(80);
			expect(seconds / frames).toBeLessThan(FRAME * SLACK);
			expect(faults).toEqual([]);
		});

		it('10,000 points are drawn, pointed at and added to in 20 ms of the main thread a frame', async () => {
			const { page, faults } = await open(service, { viewport: { width: 1280, height: 800 } });
			const id = await manyEpochs(page, 10_000);
			await page.goto(`/#/jobs/${id}?tab=training`);
			const chart = page.getByRole('img', { name: /Loss of the fused model/ });
			await chart.waitFor();
			const box = await chart.boundingBox();
			if (box === null) throw new Error('the chart has no place');
			const frames = 60;
			const seconds = await mainThreadSeconds(page, async () => {
				for (let frame = 0; frame < frames; frame++)
					await page.mouse.move(box.x + 60 + ((box.width - 80) * frame) / frames, box.y + box.height / 3);
			});
			expect(seconds / frames).toBeLessThan(FRAME * SLACK);
			expect(faults).toEqual([]);
		});
	});
});

/** The process id of the API that a service has started, which is a child of the service. */
async function apiOf({ pid }: Running): Promise<number> {
	const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number);
	for (const child of children) if (/\bapi.(dist|bundle).main\.js\b/.test(await readFile(`/proc/${child}/cmdline`, 'utf8'))) return child;
	throw new Error(`no child of ${pid} is the API`);
}
