import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SITE = fileURLToPath(new URL('../services/dashboard/dist/site', import.meta.url));
/** The most compressed bytes that are loaded before the first page is shown. */
const FIRST_LOAD = 60_000;

const compressed = (file: string): number => statSync(join(SITE, `${file}.br`)).size;

/** The scripts that a script imports before it runs; those that are loaded later are imported by a call. */
function importedBy(file: string, found: Set<string> = new Set()): Set<string> {
	if (found.has(file)) return found;
	found.add(file);
	const text = readFileSync(join(SITE, file), 'utf8');
	for (const [, name] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) importedBy(`assets/${name}`, found);
	return found;
}

describe('the built page', () => {
	it('loads at most 60 kB before its first page is shown', () => {
		const index = readFileSync(join(SITE, 'index.html'), 'utf8');
		const [entry = ''] = [...index.matchAll(/src="\.\/(assets\/[^"]+\.js)"/g)].map(([, name]) => name);
		const styles = [...index.matchAll(/href="\.\/(assets\/[^"]+\.css)"/g)].map(([, name]) => name as string);
		const start = readdirSync(join(SITE, 'assets')).filter((name) => /^start-page-.*\.(js|css)$/.test(name));
		const scripts = importedBy(entry);
		for (const name of start.filter((one) => one.endsWith('.js'))) importedBy(`assets/${name}`, scripts);
		const files = ['index.html', ...scripts, ...styles, ...start.filter((one) => one.endsWith('.css')).map((one) => `assets/${one}`)];
		const sizes = Object.fromEntries(files.map((file) => [file, compressed(file)]));
		expect(scripts.size).toBeGreaterThan(2);
		expect(
			Object.values(sizes).reduce((sum, size) => sum + size, 0),
			JSON.stringify(sizes),
		).toBeLessThanOrEqual(FIRST_LOAD);
	});

	it('names no other host, and has no script or style in the page itself', () => {
		const index = readFileSync(join(SITE, 'index.html'), 'utf8');
		expect(index).not.toMatch(/https?:\/\//);
		expect(index).not.toMatch(/<style|\son\w+=|<script(?![^>]*\ssrc=)/);
	});
});
