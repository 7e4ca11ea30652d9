// Faults against real processes: `npm run test:faults [-- --schedules N --seed S --together T]`. Seeds S, S + 1, … make the schedules.
// With `-- --sweep N`, a sweep of N trials whose service is killed twice, beside the same sweep undisturbed.
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { prepare, runSchedule } from './faults.js';
import { killedSweep } from './sweep.js';
import { tableOf } from './table.js';

const { values } = parseArgs({
	options: {
		schedules: { type: 'string', default: '20' },
		seed: { type: 'string', default: '1' },
		together: { type: 'string', default: '1' },
		sweep: { type: 'string' },
	},
});
const [schedules, first, together] = [values.schedules, values.seed, values.together].map((text) => {
	const number = Number(text);
	if (!Number.isSafeInteger(number) || number < 1)
		throw new Error(`--schedules, --seed and --together are whole numbers from 1, found ${text}`);
	return number;
});
const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

// Redis goes with this process where that exits, and the parts go with their parent.
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => process.exit(1));

if (values.sweep !== undefined) {
	const { disturbed, undisturbed, jobs } = await killedSweep({ trials: Number(values.sweep) });
	const holds = isDeepStrictEqual(disturbed, undisturbed) && jobs.disturbed === jobs.undisturbed;
	say(
		`a sweep of ${values.sweep} trials, killed twice: ${holds ? 'holds' : 'BROKEN'}: ${JSON.stringify(undisturbed.counts)}, ${jobs.undisturbed} jobs`,
	);
	if (!holds) say(JSON.stringify({ disturbed, undisturbed, jobs }, null, '\t'));
	process.exit(holds ? 0 : 1);
}

const prepared = await prepare();
const seeds = Array.from({ length: schedules }, (_, i) => first + i);
const runs = [];
async function takeSeeds() {
	for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
		const run = await runSchedule(seed, prepared);
		runs.push(run);
		const { records, wrong, schedule, kept } = run;
		say(`seed ${seed}: ${wrong.length === 0 ? 'holds' : `BROKEN, see ${kept}`}: ${records.map(({ status }) => status).join(', ')}`);
		if (wrong.length > 0) {
			for (const words of wrong) say(`  ${words}`);
			say(
				`  ${schedule.redis}${schedule.served ? ', served' : ''}: ${schedule.steps.map(({ afterMs, fault, forMs, job, worker }) => `${afterMs} ms ${fault} ${forMs} ms ${job}/${worker}`).join('; ')}`,
			);
		}
	}
}
await Promise.all(Array.from({ length: together }, takeSeeds));
await prepared.close();

say(`\n${tableOf(runs)}\n`);
const broken = runs.filter(({ wrong }) => wrong.length > 0);
say(`${runs.length} schedules, ${runs.flatMap(({ records }) => records).length} jobs, ${broken.length} broken`);
for (const { schedule } of broken) say(`again: npm run test:faults -- --schedules 1 --seed ${schedule.seed}`);
process.exitCode = broken.length > 0 ? 1 : 0;
