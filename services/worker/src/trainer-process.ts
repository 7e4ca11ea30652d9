import { fork } from 'node:child_process';
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
	entry: string;
	order: TrainOrder;
	onEvent(body: JobEventBody): void;
	/** What it writes outside of the protocol. */
	onLine(stream: 'stdout' | 'stderr', line: string): void;
};

/** Forks a trainer and gives it its order. */
export function startTrainer({ entry, order, onEvent, onLine }: TrainerOptions): TrainerProcess {
	const child = fork(entry, [], { execArgv: [], env: { ...process.env, ...MEMORY }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
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
