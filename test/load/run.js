// Loads on a running service: `npm run test:load [-- drain requests streams epochs soak lists --seconds N --jobs N]`. Prints one line of JSON for each.
import { parseArgs } from 'node:util';
import { lists } from './lists.js';
import { drain, epochs, requests, soak, streams } from './loads.js';
import { openService } from './service.js';

const loads = { drain, requests, streams, epochs, soak };
const { values, positionals } = parseArgs({ options: { seconds: { type: 'string' }, jobs: { type: 'string' } }, allowPositionals: true });
const all = [...Object.keys(loads), 'lists'];
const names = positionals.length > 0 ? positionals : all;
for (const name of names) if (!all.includes(name)) throw new Error(`there is no load ${name}; there are ${all.join(', ')}`);

const say = (/** @type {string} */ load, /** @type {object} */ found) =>
	console.log(JSON.stringify({ load, ...found }, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)));

for (const name of names) {
	if (name === 'lists') {
		// It starts a service of its own, over jobs that are there before.
		say(name, await lists(values.jobs === undefined ? {} : { jobs: Number(values.jobs) }));
		continue;
	}
	const service = await openService();
	try {
		const options = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
		say(name, await loads[/** @type {keyof typeof loads} */ (name)](service, options));
	} finally {
		await service.close();
	}
}
process.exit();
