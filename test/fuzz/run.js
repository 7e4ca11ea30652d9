// Mutants of files and bodies against the service: `npm run test:files [-- --count N --seed S --kind "onnx model"]`. Seeds S, S + 1, … make the mutants.
import { parseArgs } from 'node:util';
import { KINDS } from './kinds.js';
import { openService } from './service.js';
import { tableOf } from './table.js';

const { values } = parseArgs({
	options: { count: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' }, kind: { type: 'string' } },
});
const [count, first] = [values.count, values.seed].map((text) => {
	const number = Number(text);
	if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--count and --seed are whole numbers from 1, found ${text}`);
	return number;
});
const kinds = values.kind === undefined ? Object.keys(KINDS) : [values.kind];
if (!kinds.every((kind) => kind in KINDS)) throw new Error(`--kind is one of ${Object.keys(KINDS).join(', ')}; found ${values.kind}`);
const say = (text) => process.stdout.write(`${text}\n`);
/** After how many mutants it is told how far the run is, and looked for files where none should be. */
const LOOK_EVERY = 500;

// What has been found until then is told.
let stopped = false;
for (const name of ['SIGINT', 'SIGTERM'])
	process.once(name, () => {
		stopped = true;
	});

const service = await openService();
const judged = [];
const broken = [];
let strays = [];
const began = Date.now();
try {
	for (let i = 0; i < count && strays.length === 0 && !stopped; i++) {
		// Which kind a seed makes does not depend on where the run begins.
		const seed = first + i;
		const one = await service.judge(kinds[seed % kinds.length], seed);
		judged.push(one);
		if (!['accepted', 'refused', 'over a limit'].includes(one.outcome)) {
			broken.push(one);
			say(`${one.kind}, seed ${one.seed}: ${one.outcome.slice(0, 2000)}`);
		}
		if ((i + 1) % LOOK_EVERY === 0 || i + 1 === count) {
			strays = await service.strays();
			const megabytes = Math.ceil(process.memoryUsage.rss() / 1024 ** 2);
			say(
				`${i + 1} of ${count} after ${Math.round((Date.now() - began) / 1000)} s, ${broken.length} faults, this process has ${megabytes} MiB`,
			);
		}
	}
} finally {
	await service.close();
}

if (strays.length > 0) say(`files outside of where they belong: ${strays.join(', ')}`);
say(`\n${tableOf(judged)}\n`);
for (const { kind, seed } of broken.slice(0, 20)) say(`again: npm run test:files -- --count 1 --seed ${seed} --kind "${kind}"`);
process.exitCode = broken.length + strays.length > 0 ? 1 : 0;
