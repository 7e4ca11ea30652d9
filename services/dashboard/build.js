// Builds the page into dist/site, and compresses its files: the API sends them as they are. Nothing is done where nothing has changed since.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const site = join(here, 'dist', 'site');
const stamp = join(here, 'dist', 'site.stamp');
/** The dataset that the start page offers to an empty service. */
const sample = join(here, '..', 'cli', 'sample', 'spam-mail.zip');

const filesIn = (folder) =>
	readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.sort();

/** What the page is a function of: its sources, the packages that it is made with, and the tools. */
function fingerprint() {
	const hash = createHash('sha256');
	const packages = ['client', 'contracts'].flatMap((name) =>
		filesIn(join(here, '..', '..', 'packages', name, 'dist')).filter((file) => file.endsWith('.js')),
	);
	const own = [...filesIn(join(here, 'src')), ...['index.html', 'package.json', 'build.js'].map((name) => join(here, name))];
	for (const file of [...own, ...packages, sample]) hash.update(`${relative(here, file)}\n`).update(readFileSync(file));
	return hash.digest('hex');
}

/** Puts beside each file of text what a browser takes in its place. */
function compress() {
	for (const file of filesIn(site)) {
		if (!/\.(html|js|css|svg|json)$/.test(file)) continue;
		const bytes = readFileSync(file);
		writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
		writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
	}
}

const print = fingerprint();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== print) {
	rmSync(stamp, { force: true });
	mkdirSync(join(here, 'dist'), { recursive: true });
	const { build } = await import(createRequire(import.meta.url).resolve('vite'));
	await build({
		root: here,
		configFile: false,
		logLevel: 'warn',
		// Addresses of files are relative, so that the page works under any path that a proxy puts before it.
		base: './',
		oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
		build: {
			outDir: site,
			emptyOutDir: true,
			target: 'es2023',
			// The content-security policy lets no script and no style stand in the page itself.
			assetsInlineLimit: 0,
			modulePreload: { polyfill: false },
			reportCompressedSize: false,
		},
	});
	compress();
	mkdirSync(join(site, 'sample'));
	copyFileSync(sample, join(site, 'sample', 'spam-mail.zip'));
	writeFileSync(stamp, print);
}
