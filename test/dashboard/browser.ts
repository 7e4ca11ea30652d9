import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

/** A page, and what went wrong in it: errors of its scripts, of its console, and requests that would leave this machine. */
export type Watched = { page: Page; faults: string[] };

/** Opens a page that notes what goes wrong. `url` is the address of the service. Requests elsewhere are cut off. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
	const context = await browser.newContext({ baseURL: url, ...options });
	const page = await context.newPage();
	const faults: string[] = [];
	page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
	page.on('console', (message) => {
		if (message.type() === 'error') faults.push(`console: ${message.text()}`);
	});
	await page.route(
		(to) => to.origin !== new URL(url).origin,
		(route) => {
			faults.push(`request to ${route.request().url()}`);
			return route.abort();
		},
	);
	return { page, faults };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Found = { violations: { id: string; impact: string; help: string; nodes: { html: string }[] }[] };

/** What axe finds on a page that is serious for people who hear it, or use it by keyboard. */
export async function axeFindings(page: Page): Promise<string[]> {
	await page.evaluate(AXE);
	const { violations } = await page.evaluate<Found>('axe.run({ resultTypes: ["violations"] })');
	return violations.map(({ id, impact, help, nodes }) => `${id} (${impact}): ${help}: ${nodes[0]?.html.slice(0, 200)}`);
}

/** By how many pixels the page is wider than the window; 0 where nothing has to be moved sideways. */
export const tooWide = (page: Page): Promise<number> => page.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)');

/** Presses Tab until what has this role and name has the focus, as someone without a mouse does. */
export async function tabTo(page: Page, role: 'button' | 'link', name: string | RegExp): Promise<void> {
	const wanted = page.getByRole(role, { name }).first();
	await wanted.waitFor();
	for (let pressed = 0; pressed < 150; pressed++) {
		if (await wanted.evaluate((element: { matches(selector: string): boolean }) => element.matches(':focus'))) return;
		await page.keyboard.press('Tab');
	}
	expect.unreachable(`${role} "${name}" is not reached by the keyboard`);
}

/** Seconds of the processor that the main thread of a page takes for some work. */
export async function mainThreadSeconds(page: Page, work: () => Promise<void>): Promise<number> {
	const session = await page.context().newCDPSession(page);
	await session.send('Performance.enable', { timeDomain: 'threadTicks' });
	const taken = async (): Promise<number> =>
		(await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
	const before = await taken();
	await work();
	const after = await taken();
	await session.detach();
	return after - before;
}
