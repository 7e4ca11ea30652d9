// `npm run bench [-- PART …]`: ours beside its peers in one run, interleaved, as ratios. README.md tells of the parts and options.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { devices } from './devices.js';
import { engine, memory } from './engine/engine.js';
import { row } from './figures.js';
import { job } from './job/job.js';
import { large } from './large/large.js';
import { machine, versions } from './machine.js';
import { predictions, service } from './service/service.js';
import { tables } from './tables/tables.js';
import { weighting } from './weighting/weighting.js';

const parts = { engine, memory, weighting, job, large, service, predictions, tables, devices };
/** The peaks of `memory` are among the figures of `engine`; `large` takes long, and 9 GB of room on the disk. */
const usual = Object.keys(parts).filter((name) => name !== 'memory' && name !== 'large');

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		json: { type: 'boolean', default: false },
		quick: { type: 'boolean', default: false },
		row: { type: 'string', multiple: true, default: [] },
		threads: { type: 'string', multiple: true, default: availableParallelism() > 1 ? ['1', '2'] : ['1'] },
	},
});
const unknown = positionals.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) throw new RangeError(`no part "${unknown}"; expected some of ${Object.keys(parts).join(', ')}`);
const threads = values.threads.map(Number);
const bad = threads.findIndex((count) => !Number.isInteger(count) || count < 1 || count > availableParallelism());
if (bad >= 0)
	throw new RangeError(`--threads takes 1 to ${availableParallelism()}, the cores of this machine; found ${values.threads[bad]}`);

const options = { quick: values.quick, rows: values.row, threads };
const results = { machine: machine(), rows: [] };
row(`${results.machine.cpu}, ${results.machine.cores} cores`, `load ${results.machine.load.toFixed(1)} before the run`);
for (const name of positionals.length === 0 ? usual : Object.keys(parts).filter((part) => positionals.includes(part))) {
	const figures = await parts[name](options);
	if (Array.isArray(figures)) results.rows.push(...figures);
	else results[name] = figures;
}
// asked for last: the parts make the environment of the peers where it is not there yet
results.versions = await versions();
row(
	'versions',
	Object.entries(results.versions)
		.map((pair) => pair.join(' '))
		.join(', '),
);
if (values.json) console.log(JSON.stringify(results, null, '\t'));
