// Loads on a running service: `npm run test:load [-- drain requests streams epochs soak --seconds N]`. Prints one line of JSON for each.
import { parseArgs } from 'node:util';
import { drain, epochs, requests, soak, streams } from './loads.js';
import { openService } from './service.js';

const loads = { drain, requests, streams, epochs, soak };
const { values, positionals } = parseArgs({ options: { seconds: { type: 'string' } }, allowPositionals: true });
const names = positionals.length > 0 ? positionals : Object.keys(loads);
for (const name of names) if (!(name in loads)) throw new Error(`there is no load ${name}; there are ${Object.keys(loads).join(', ')}`);

for (const name of names) {
	const service = await openService();
	try {
		const options = values.seconds === undefined ? {} : { seconds: Number(values.seconds) };
		const found = await loads[/** @type {keyof typeof loads} */ (name)](service, options);
		console.log(JSON.stringify({ load: name, ...found }, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)));
	} finally {
		await service.close();
	}
}
process.exit();
