// Looks at what the program depends on: whether every licence is free, and whether weaknesses are known, for which the package registry is asked.
// Ends with 1 where something is found, and with 2 where the registry cannot be asked.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFree, productionDependencies, ROOT } from './licences.js';

const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

const dependencies = productionDependencies();
const counts = new Map();
for (const { licence } of dependencies) counts.set(licence, (counts.get(licence) ?? 0) + 1);
say(`${dependencies.length} packages: ${[...counts].map(([licence, count]) => `${licence} ${count}`).join(', ')}`);
const refused = dependencies.filter(({ licence }) => !isFree(licence));
for (const { name, version, licence } of refused) say(`not free: ${name} ${version} is under ${licence}`);

const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { status, stdout, stderr } = spawnSync('npx', ['-y', packageManager, 'audit', '--prod'], {
	cwd: ROOT,
	encoding: 'utf8',
	// npx is a script on Windows, which only a shell can start.
	shell: process.platform === 'win32',
});
const said = `${stdout ?? ''}${stderr ?? ''}`.trim();
const isAnswer = status === 0 || /\d+ vulnerabilit/i.test(said);
say(said);
if (!isAnswer)
	say('audit: the package registry could not be asked for known weaknesses, so nothing is known of them; the licences were looked at');
if (refused.length > 0 || (isAnswer && status !== 0)) process.exitCode = 1;
else if (!isAnswer) process.exitCode = 2;
