// Processes that run a chunk of work whenever they are told, and processes that run once.
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The line that says why a process failed: the last that names an error, else the last. */
function reasonIn(complaint) {
	const lines = complaint.trim().split('\n');
	return lines.findLast((line) => /^\s*\w*Error: /.test(line))?.trim() ?? lines.at(-1);
}

/** Milliseconds that an answer may take, compiling included. */
const LONGEST_ANSWER = 300_000;

/** How many characters of what a process writes to its standard error are kept. */
const KEPT = 4000;

/**
 * A process that says one line when it is ready and then answers every line with numbers: milliseconds, and, of training, the largest resident size in MiB and the loss
 * of each step. `{ absent: reason }` where it does not start. One that takes more than five minutes for an answer is ended.
 */
export async function stepping(command, args, env = {}) {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
	let complaint = '';
	child.stderr.setEncoding('utf8').on('data', (text) => {
		complaint = (complaint + text).slice(-KEPT);
	});
	// a process that has ended is noticed by the end of its output
	child.stdin.on('error', () => {});
	const ended = new Promise((resolve) => {
		child.once('error', ({ message }) => resolve(message));
		child.once('close', (code, signal) => resolve(reasonIn(complaint) || `it ended with ${signal ?? code}`));
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const first = await lines.next();
	if (first.done) return { absent: await ended };
	return {
		/** What the process said of itself before the first step. */
		first: first.value,
		/** Throws with what the process complained about last where it has ended, and where it answers something else. */
		step: async () => {
			child.stdin.write('go\n');
			let isSlow = false;
			const timer = setTimeout(() => {
				isSlow = true;
				child.kill('SIGKILL');
			}, LONGEST_ANSWER);
			const { done, value } = await lines.next();
			clearTimeout(timer);
			if (isSlow) throw new Error(`it took more than ${LONGEST_ANSWER / 1000} s for a chunk`);
			if (done) throw new Error(await ended);
			const figures = value.split(' ').map(Number);
			if (!Number.isFinite(figures[0])) throw new Error(`it answered "${value}", expected numbers`);
			return { milliseconds: figures[0], peakMiB: figures[1], losses: figures.slice(2), figures };
		},
		stop: () => child.stdin.end(),
	};
}

/** One run of a process from its start to its end: seconds, and what it printed. */
export async function timed(command, args, env = {}) {
	const started = performance.now();
	const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 1e8, env: { ...process.env, ...env } });
	return { seconds: (performance.now() - started) / 1000, printed: stdout.trim() };
}

/** What a script of Node.js prints last, as JSON. */
export async function answerOf(script, args = []) {
	const { printed } = await timed(process.execPath, [script, ...args]);
	return JSON.parse(printed.split('\n').at(-1));
}

/** What the worker gives its trainers: the allocator keeps memory, in huge pages (services/worker/src/trainer-process.ts). */
export const TRAINER = {
	MALLOC_MMAP_THRESHOLD_: '2000000000',
	MALLOC_TRIM_THRESHOLD_: '4000000000',
	GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};
