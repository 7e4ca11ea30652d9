// Loads graphs on the CUDA provider and runs them: `place.js LIST COUNTERS`, LIST a file of `[{ name, file, placed, run, optimisation, timed }]`. For each it writes a line of JSON: what
// failed, and, where there are libraries that count, what they counted in a run and in a step; of a `timed` one also the processor time of a step. The runtime's log goes to standard error, behind a line that names the graph.
import { existsSync, readFileSync } from 'node:fs';
import { arrayTypeOf, createSession, sizeOf, tensor } from '../../packages/runtime/dist/index.js';

const [list, counters] = process.argv.slice(2);

/** As stubs/counters.h lays them out: `{ name: [calls, bytes] }`. */
function counted() {
	const found = {};
	if (!existsSync(counters)) return found;
	const bytes = readFileSync(counters);
	for (let at = 0; at < bytes.length; at += 128) {
		if (bytes[at] === 0) continue;
		const name = bytes.toString('latin1', at, bytes.indexOf(0, at));
		found[name] = [Number(bytes.readBigUInt64LE(at + 112)), Number(bytes.readBigUInt64LE(at + 120))];
	}
	return found;
}
const minus = (after, before) =>
	Object.fromEntries(
		Object.entries(after)
			.map(([name, [calls, bytes]]) => [name, [calls - (before[name]?.[0] ?? 0), bytes - (before[name]?.[1] ?? 0)]])
			.filter(([, [calls]]) => calls !== 0),
	);

/** Small numbers of every type; indices are of the first rows. */
function feedsOf(inputs, steps) {
	return Object.fromEntries(
		inputs.map(({ name, dtype, shape }) => {
			const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : dim === 'K' ? steps : 16));
			const data = new (arrayTypeOf(dtype))(sizeOf(sizes));
			return [name, tensor(dtype, sizes, dtype === 'float32' ? data.fill(0.5) : data)];
		}),
	);
}

async function countedRun(session, steps) {
	const feeds = feedsOf(session.inputs, steps);
	const before = counted();
	await session.run(feeds);
	return minus(counted(), before);
}

/** Processor time of a run of so many steps, in microseconds: the least of some, since other processes disturb it. */
async function spent(session, steps) {
	const feeds = feedsOf(session.inputs, steps);
	let least = Number.POSITIVE_INFINITY;
	for (let i = 0; i < 5; i++) {
		const before = process.cpuUsage();
		await session.run(feeds);
		const { user, system } = process.cpuUsage(before);
		least = Math.min(least, user + system);
	}
	return least;
}

async function place({ name, file, placed, run, optimisation, timed }) {
	const said = { name, error: null, run: {}, step: {}, microseconds: null };
	try {
		const options = { provider: 'cuda', optimisation };
		await (await createSession(readFileSync(file), { ...options, logSeverity: 0, optimisedModelPath: placed })).release();
		const session = await createSession(readFileSync(run), options);
		await countedRun(session, 3);
		said.run = await countedRun(session, 4);
		if (session.inputs.some(({ shape }) => shape[0] === 'K')) {
			const eight = minus(await countedRun(session, 12), said.run);
			said.step = Object.fromEntries(Object.entries(eight).map(([name, [calls, bytes]]) => [name, [calls / 8, bytes / 8]]));
			if (timed) said.microseconds = ((await spent(session, 40)) - (await spent(session, 8))) / 32;
		}
		await session.release();
	} catch (error) {
		said.error = error.message;
	}
	return said;
}

for (const one of JSON.parse(readFileSync(list, 'utf8'))) {
	process.stderr.write(`\nGRAPH ${one.name}\n`);
	process.stdout.write(`${JSON.stringify(await place(one))}\n`);
}
