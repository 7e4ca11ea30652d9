// Makes the pictures of the page in this folder from real jobs of a service of its own: `npm run pictures`. It needs a Chromium (variable STEELYARD_CHROMIUM, or on the path).
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { createClient } from '../../packages/client/dist/index.js';
import { startPrivate } from '../study/service.js';
import { trainJobs } from './jobs.js';
import { emptyScenes, scenes, take } from './scenes.js';

const here = dirname(fileURLToPath(import.meta.url));
const samples = join(dirname(dirname(here)), 'services', 'cli', 'sample');

const CHROMIUM =
	process.env.STEELYARD_CHROMIUM ??
	(process.env.PATH ?? '')
		.split(delimiter)
		.flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
		.find(existsSync);
if (CHROMIUM === undefined) throw new Error('There is no Chromium: install one, or name it in the variable STEELYARD_CHROMIUM');

const home = await mkdtemp(join(tmpdir(), 'steelyard-pictures-'));
const service = await startPrivate(home, 1);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
try {
	const takeAll = async (all) => {
		for (const scene of all) process.stdout.write(`docs/pictures/${await take(browser, scene, { url: service.url, folder: here })}\n`);
	};
	await takeAll(emptyScenes());
	const made = await trainJobs(createClient({ url: service.url }), { samples, folder: home });
	await takeAll(scenes(made, join(samples, 'visits.csv')));
} finally {
	await browser.close();
	await service.close();
	await rm(home, { recursive: true, force: true });
}
