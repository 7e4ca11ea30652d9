import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, openBrowser } from '../../../test/chromium.js';
import type { Document } from './document.js';
import { openService, type Service } from './service.js';

const KEY = 'a-key-of-this-test';

let service: Service;
/** The address of a service that demands a key. */
let url: string;
beforeAll(async () => {
	service = await openService();
	const app = await service.build({ apiKey: KEY });
	url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => service.close());

describe('the page of the API', () => {
	it('answers everybody, and lets a browser load what comes from the service alone', async () => {
		const page = await service.app.inject('/docs/');
		expect(page.headers['content-type']).toMatch(/^text\/html/);
		const policy = String(page.headers['content-security-policy']);
		expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
		expect(policy).not.toMatch(/https?:|unsafe|\*/);
		expect(page.body).not.toMatch(/https?:|<script>|<style/);
		const parts = [...page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path]) => path);
		expect(parts).toHaveLength(7);
		for (const path of parts) expect((await service.app.inject(`/docs/${path}`)).statusCode, path).toBe(200);
	});

	it('is at one address, reads the document at its own, and is not in it', async () => {
		for (const [from, to] of [
			['/docs', './docs/'],
			['/docs/yaml', '../openapi.json'],
		] as const) {
			const { statusCode, headers } = await service.app.inject(from);
			expect([statusCode, headers.location], from).toEqual([302, to]);
		}
		const document: Document = (await service.app.inject('/openapi.json')).json();
		// It adds where the service is as seen from there, also where a proxy puts it under a path.
		expect((await service.app.inject('/docs/json')).json()).toEqual({ ...document, servers: [{ url: '..', description: 'this service' }] });
		expect(Object.keys(document.paths).filter((path) => path.includes('docs'))).toEqual([]);
	});

	it('gives no file but its own', async () => {
		for (const path of ['nothing.js', '../package.json', '..%2fpackage.json', '%2e%2e/package.json'])
			expect((await service.app.inject(`/docs/static/${path}`)).statusCode, path).toBeGreaterThanOrEqual(400);
	});
});

describe.skipIf(CHROMIUM === null)('in a browser, the page of the API', () => {
	it('shows every operation, and asks for what the user wants with the key that Authorize took', async () => {
		const browser = await openBrowser();
		try {
			const page = await browser.newPage();
			const complaints: string[] = [];
			const hosts = new Set<string>();
			page.on('console', (message) => complaints.push(message.text()));
			page.on('pageerror', (error) => complaints.push(error.message));
			page.on('request', (request) => hosts.add(new URL(request.url()).origin));

			await page.goto(`${url}/docs`);
			await page.locator('.opblock').first().waitFor();
			const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
			expect(await page.locator('.opblock').count()).toBe(Object.values(paths).flatMap((methods) => Object.keys(methods)).length);

			await page.locator('button.authorize').first().click();
			await page.locator('.modal-ux input').fill(KEY);
			await page.locator('.modal-ux button.authorize').click();
			await page.locator('.modal-ux .btn-done').click();
			const caller = page.locator('#operations-keys-getCaller');
			await caller.locator('.opblock-summary').click();
			await caller.locator('.try-out__btn').click();
			await caller.locator('.execute').click();
			expect(await caller.locator('.live-responses-table .response-col_status').nth(1).innerText()).toContain('200');
			expect(await caller.locator('.live-responses-table').innerText()).toContain('"key": "first"');

			expect(complaints).toEqual([]);
			expect([...hosts]).toEqual([url]);
		} finally {
			await browser.close();
		}
	});
});
