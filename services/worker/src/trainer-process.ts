import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { JobEventBody } from '@steelyard/contracts';
import { eachLine } from './lines.js';
import type { FromTrainer, ToTrainer, TrainOrder } from './protocol.js';

/** Seen from the sources as from what is built. */
export const TRAINER_ENTRY = fileURLToPath(new URL('../dist/trainer-child.js', import.meta.url));

/**
 * Outputs of the engine are fresh memory every time. Kept by the allocator instead of given back to the system, and in huge pages, a 40 MB
 * output costs 7 ms instead of 33.
 */
const MEMORY = {
	MALLOC_MMAP_THRESHOLD_: '2000000000',
	MALLOC_TRIM_THRESHOLD_: '4000000000',
	GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

/** Lines of its last words that a crash is reported with. */
const WORDS = 10;
/** How long a trainer that has told its end may take to go, in milliseconds. */
const LEAVING = 5000;

/** `crashed`: it went without telling an end; `words` are the last lines that it wrote. */
export type TrainerEnd =
	| Exclude<FromTrainer, { type: 'event' }>
	| { type: 'crashed'; code: number | null; signal: NodeJS.Signals | null; words: string[] };

export type TrainerProcess = {
	readonly pid: number | undefined;
	/** When the process is gone and all it said has been heard. Rejects where it could not be started. */
	readonly ended: Promise<TrainerEnd>;
	/** Asks it to end after a checkpoint, and ends it by force after `graceMs` milliseconds. */
	stop(graceMs: number): void;
};

export type TrainerOptions = {
	order: TrainOrder;
	onEvent(body: JobEventBody): void;
	/** What it writes outside of the protocol. */
	onLine(stream: 'stdout' | 'stderr', line: string): void;
};

const forkTrainer = (entry: string): ChildProcess =>
	fork(entry, [], { execArgv: [], env: { ...process.env, ...MEMORY }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });

const isAlive = (child: ChildProcess): boolean => child.connected && child.exitCode === null && child.signalCode === null;

/** Trainer processes of one entry, each for one job. */
export type Trainers = {
	/** Has a process load what it needs before there is a job for it: half of the time from a post to its first step. */
	prepare(): void;
	/** Gives an order to the prepared process, or to a new one. */
	start(options: TrainerOptions): TrainerProcess;
	/** Ends the process that waits for a job; those that have one are their attempts' to end. */
	close(): Promise<void>;
};

export function openTrainers(entry: string): Trainers {
	let spare: ChildProcess | null = null;
	let closed = false;
	return {
		prepare() {
			if (closed || (spare !== null && isAlive(spare))) return;
			spare = forkTrainer(entry);
			// Its streams are read once it has a job, to which its words then belong. That it could not be started is told by the next that is forked.
			spare.on('error', () => {});
		},
		start(options) {
			const child = spare !== null && isAlive(spare) ? spare : forkTrainer(entry);
			spare = null;
			return train(child, options);
		},
		async close() {
			closed = true;
			const child = spare;
			spare = null;
			if (child === null || !isAlive(child)) return;
			const exit = once(child, 'exit');
			child.kill('SIGKILL');
			await exit;
		},
	};
}

function train(child: ChildProcess, { order, onEvent, onLine }: TrainerOptions): TrainerProcess {
	const words: string[] = [];
	let end: TrainerEnd | null = null;
	let force: NodeJS.Timeout | undefined;
	const kill = () => child.kill('SIGKILL');
	// Between its death and the news of it, the channel is closed already.
	const send = (message: ToTrainer) => child.connected && child.send(message, () => {});

	eachLine(child.stdout, (line) => onLine('stdout', line));
	eachLine(child.stderr, (line) => {
		words.push(line);
		if (words.length > WORDS) words.shift();
		onLine('stderr', line);
	});
	child.on('message', (message: FromTrainer) => {
		if (message.type === 'event') return onEvent(message.body);
		end = message;
		clearTimeout(force);
		force = setTimeout(kill, LEAVING);
	});
	const ended = new Promise<TrainerEnd>((resolve, reject) => {
		child.once('error', reject);
		// After the streams and the channel, so that nothing that it said is missed.
		child.once('close', (code, signal) => {
			clearTimeout(force);
			resolve(end ?? { type: 'crashed', code, signal, words });
		});
	});
	send({ type: 'train', options: order });

	return {
		pid: child.pid,
		ended,
		stop(graceMs) {
			send({ type: 'stop' });
			force ??= setTimeout(kill, graceMs);
		},
	};
}
