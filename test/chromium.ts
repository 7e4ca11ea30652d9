import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where a Chromium is: as the variable STEELYARD_CHROMIUM says, else on the path; null where there is none. */
export const CHROMIUM: string | null =
	process.env['STEELYARD_CHROMIUM'] ??
	(process.env['PATH'] ?? '')
		.split(delimiter)
		.flatMap((folder) => NAMES.map((name) => join(folder, name)))
		.find(existsSync) ??
	null;

/** Chromium without a window. Its sandbox wants rights that a container may lack, and it opens nothing but pages of a service of our own. */
export const openBrowser = (): Promise<Browser> =>
	chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
