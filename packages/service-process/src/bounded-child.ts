import { type ChildProcess, fork } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isOutOfMemory } from '@steelyard/contracts';
import { heldTo } from './memory-limit.js';
import { SECRET_VARIABLES } from './variables.js';

/** What a child process may take. */
export type ChildLimits = {
	/** Milliseconds for one order. */
	ms: number;
	/** Bytes of memory. On Linux the system holds the process to them, and what it has resident is watched; the JavaScript heap is held to them everywhere. */
	bytes: number;
};

/** By what a process ended that did not say so itself, with the last lines that it wrote. */
export type ChildCrash = { type: 'crashed'; code: number | null; signal: NodeJS.Signals | null; lastLines: string[] };

/** How an order ended: with an answer, over a limit (`bytes`: how much memory the process had reached, null where that is not known), or by a crash. */
export type OrderEnd<Answer> =
	| { type: 'answered'; answer: Answer }
	| { type: 'late' }
	| { type: 'too big'; bytes: number | null }
	| ChildCrash;

export type BoundedChildOptions = {
	/** Path of the module that it runs. */
	entry: string;
	limits: ChildLimits;
	/** What its environment has beside or in place of that of this process. */
	env?: NodeJS.ProcessEnv;
	/** Called with every line that it writes to stdout or stderr. */
	onLine?(line: string): void;
};

/** A child process that reads what strangers sent, so that this process never has to. One that ends because it could not have more memory has to say so on stderr, as Node does of an error that nobody caught. */
export type BoundedChild = {
	/** Whether it can take an order. */
	readonly isAlive: boolean;
	/** The most memory that it has had resident so far, in bytes; null where the system does not report it. */
	peak(): Promise<number | null>;
	/** Sends an order, one at a time, and waits for one answer. Rejects where the process could not be started. After any other end than an answer it has ended. */
	run<Answer>(order: object): Promise<OrderEnd<Answer>>;
	/** Ends it. Resolves when it has ended; an order at hand then ends by a crash. */
	end(): Promise<void>;
};

/** Milliseconds between two looks at the memory. */
const LOOK_EVERY = 50;
/** The share of its memory that a process had when last looked at which tells that it crashed by that. */
const NEARLY_ALL = 0.8;
/** How many of the last lines that the process wrote are kept for the report of a crash. */
const LINES = 5;

/** Calls `take` with every line of a stream that is not blank, also with a last one that does not end in a newline. */
export function eachLine(stream: Readable | null, take: (line: string) => void): void {
	if (stream === null) return;
	createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
		if (line.trim() !== '') take(line);
	});
}

/** How a process ended that crashed, in words for the user. */
export const howItEnded = ({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): string =>
	signal === null ? `ended with exit code ${code}` : `was ended by ${signal}${signal === 'SIGKILL' ? ', from outside' : ''}`;

/** A size of memory in words. */
export const memoryText = (bytes: number): string =>
	bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GiB` : `${Math.ceil(bytes / 1024 ** 2)} MiB`;

/** Bytes that the system reports of the memory of a process, by the names of their lines in `/proc`; null where it does not. */
async function memoryOf(pid: number | undefined): Promise<{ peak: number | null; data: number | null }> {
	const status = pid === undefined ? '' : await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
	const bytesOf = (name: string): number | null => {
		const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
		return kilobytes === undefined ? null : Number(kilobytes) * 1024;
	};
	return { peak: bytesOf('VmHWM'), data: bytesOf('VmData') };
}

/** The most memory that a process has had resident so far, in bytes; null where the system does not report it. */
const peakOf = async (pid: number | undefined): Promise<number | null> => (await memoryOf(pid)).peak;

/** Calls `over` when the memory of a process has passed the limit, and `seen` with what it can write to at each look; returns a function that ends the watch. */
function watchMemory(
	pid: number | undefined,
	limit: number,
	{ over, seen }: { over(bytes: number): void; seen(bytes: number): void },
): () => void {
	let timer: NodeJS.Timeout | undefined;
	const look = async () => {
		const { peak, data } = await memoryOf(pid);
		if (data !== null) seen(data);
		if (peak !== null && peak > limit) over(peak);
		else if (timer !== undefined && peak !== null) timer = setTimeout(look, LOOK_EVERY);
	};
	timer = setTimeout(look, LOOK_EVERY);
	return () => {
		clearTimeout(timer);
		timer = undefined;
	};
}

/** The environment without the secrets of the service: the process that reads a stranger's bytes is given none. */
export const environmentWithoutSecrets = (): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRET_VARIABLES.has(name)));

function begin({ entry, limits: { bytes }, env }: BoundedChildOptions): ChildProcess {
	const heap = (share: number) => [`--max-old-space-size=${Math.max(1, Math.floor((bytes * share) / 1024 ** 2))}`];
	const child = fork(entry, [], {
		// V8 needs as much again while it collects, and where the system has no more for it then, it dies without a word.
		...(heldTo(bytes, heap(0.5)) ?? { execArgv: heap(1) }),
		env: { ...environmentWithoutSecrets(), ...env },
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
		// Bytes pass as they are.
		serialization: 'advanced',
	});
	// If the system runs out of memory, this process should be ended first. Where it cannot be asked to, nothing is lost.
	if (child.pid !== undefined) writeFile(`/proc/${child.pid}/oom_score_adj`, '1000').catch(() => {});
	return child;
}

/** Starts a process that answers each order with one message. */
export function startBoundedChild(options: BoundedChildOptions): BoundedChild {
	const { limits, onLine = () => {} } = options;
	const child = begin(options);
	const lastLines: string[] = [];
	let over: { type: 'late' } | { type: 'too big'; bytes: number | null } | null = null;
	let data = 0;
	const kill = (why: typeof over) => {
		over ??= why;
		child.kill('SIGKILL');
	};
	eachLine(child.stdout, onLine);
	eachLine(child.stderr, (line) => {
		onLine(line);
		if (isOutOfMemory(line)) over ??= { type: 'too big', bytes: null };
		if (!/^\s+at /.test(line) && lastLines.push(line) > LINES) lastLines.shift();
	});
	const ended = new Promise<OrderEnd<never>>((resolve, reject) => {
		child.once('error', reject);
		// This comes after the end of the streams and of the channel, so nothing that it sent or wrote is missed.
		child.once('close', (code, signal) => {
			// Not all that can fail by an allocation says so.
			if (signal !== null && data > limits.bytes * NEARLY_ALL) over ??= { type: 'too big', bytes: null };
			resolve(over ?? { type: 'crashed', code, signal, lastLines });
		});
	});
	// Whoever gives it an order is told.
	ended.catch(() => {});

	return {
		get isAlive() {
			return child.connected && child.exitCode === null && child.signalCode === null;
		},
		peak: () => peakOf(child.pid),
		async run<Answer>(order: object) {
			const late = setTimeout(() => kill({ type: 'late' }), limits.ms);
			const unwatch = watchMemory(child.pid, limits.bytes, {
				over: (bytes) => kill({ type: 'too big', bytes }),
				seen: (bytes) => {
					data = bytes;
				},
			});
			let hear: (answer: Answer) => void = () => {};
			const answered = new Promise<OrderEnd<Answer>>((resolve) => {
				hear = (answer) => resolve({ type: 'answered', answer });
				child.once('message', hear);
			});
			try {
				// The channel is closed as soon as the process is dead, before its end is reported here.
				if (child.connected) child.send(order, () => {});
				return await Promise.race([answered, ended]);
			} finally {
				child.off('message', hear);
				clearTimeout(late);
				unwatch();
			}
		},
		async end() {
			child.kill('SIGKILL');
			await ended.catch(() => {});
		},
	};
}
