// Makes the pictures of the page in this folder from real jobs of a service of its own: `npm run pictures`. It needs a Chromium (variable STEELYARD_CHROMIUM, or on the path).
import { existsSync, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { createClient } from '../../packages/client/dist/index.js';
import { startPrivate } from '../study/service.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const sample = (name) => join(root, 'services', 'cli', 'sample', name);

const CHROMIUM =
	process.env.STEELYARD_CHROMIUM ??
	(process.env.PATH ?? '')
		.split(delimiter)
		.flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
		.find(existsSync);
if (CHROMIUM === undefined) throw new Error('There is no Chromium: install one, or name it in the variable STEELYARD_CHROMIUM');

/** Posts a job, and resolves with it once it has succeeded. */
async function trained(client, spec) {
	const { id } = await client.jobs.create(spec);
	for await (const event of client.jobs.events(id))
		if (event.type === 'status' && event.status === 'failed') throw new Error(event.error.message);
	return client.jobs.get(id);
}

/** Trains what the pictures show; gives the ids by name. */
async function train(client) {
	const mail = await client.datasets.create(await openAsBlob(sample('spam-mail.zip')), 'spam-mail.zip');
	const visits = await client.datasets.create(await openAsBlob(sample('visits.csv')), 'visits.csv', { label: 'readmitted' });
	const compared = [];
	for (const preset of ['uniform', 'btw', 'consensus'])
		for (const seed of [1, 2]) {
			const name = `Mail, ${preset}, seed ${seed}`;
			compared.push((await trained(client, { dataset: mail.id, name, weighting: { preset }, training: { seed, epochs: 12 } })).id);
		}
	const early = { early_stopping: null, epochs: 16 };
	const { id: job } = await trained(client, {
		dataset: mail.id,
		name: 'Sample mail',
		weighting: { preset: 'btw', refresh_epochs: 2 },
		training: early,
	});
	const { id: table } = await trained(client, { dataset: visits.id, name: 'Readmission', weighting: { preset: 'consensus' } });
	return { job, table, visits: visits.id, compared };
}

/** Each picture: its name, the place in the page, the width and height of the window, the colours, and what is waited for. */
const pictures = ({ job, table, visits, compared }) => [
	['job-overview', `/jobs/${job}`, 1280, 900, 'light'],
	['job-weights', `/jobs/${job}?tab=weights`, 1280, 1120, 'light'],
	['job-evaluation-dark', `/jobs/${job}?tab=evaluation`, 800, 1000, 'dark'],
	['job-narrow', `/jobs/${job}`, 360, 780, 'light'],
	['data', `/data/${visits}`, 1280, 1000, 'light'],
	['new-job', `/jobs/new?dataset=${visits}`, 1280, 900, 'light'],
	['jobs-dark', '/jobs', 1280, 560, 'dark'],
	['compare', `/compare?${compared.map((id) => `job=${id}`).join('&')}`, 1280, 1400, 'light'],
	['try', `/jobs/${table}/try`, 1280, 1000, 'light', async (page) => page.getByRole('button', { name: 'Predict' }).click()],
];

const home = await mkdtemp(join(tmpdir(), 'steelyard-pictures-'));
const service = await startPrivate(home, 1);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
try {
	const made = await train(createClient({ url: service.url }));
	for (const [name, place, width, height, colorScheme, act] of pictures(made)) {
		const page = await browser.newPage({ viewport: { width, height }, colorScheme });
		await page.goto(`${service.url}/#${place}`);
		await page.getByRole('heading', { level: 1 }).waitFor();
		await page.waitForLoadState('networkidle').catch(() => {});
		await act?.(page);
		await page.waitForTimeout(1500);
		await page.screenshot({ path: join(here, `${name}.png`) });
		await page.close();
		process.stdout.write(`docs/pictures/${name}.png\n`);
	}
} finally {
	await browser.close();
	await service.close();
	await rm(home, { recursive: true, force: true });
}
