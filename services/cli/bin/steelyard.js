#!/usr/bin/env node
// Committed, so that a fresh install links it before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
	console.error('Steelyard is not built yet: run "npm run setup" in its folder first.');
	process.exitCode = 1;
}
