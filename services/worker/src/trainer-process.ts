import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { JobEventBody, Measured, Tally } from '@steelyard/contracts';
import { bundled, eachLine, environmentWithoutSecrets, heldTo } from '@steelyard/service-process';
import { oomKills } from './oom-kills.js';
import type { FromTrainer, ToTrainer, TrainOrder } from './protocol.js';
import { type SaidShortage, saysOutOfMemory } from './says-out-of-memory.js';

/** The program, by a path that holds from `src` as well as from `dist` and from `bundle`. */
export const TRAINER_ENTRY = bundled(fileURLToPath(new URL('../dist/trainer-child.js', import.meta.url)));

/**
 * The engine allocates its outputs anew in every run. With an allocator that keeps freed memory instead of giving it back to the system, and with huge
 * pages, an output of 40 MB takes 7 ms instead of 33.
 */
const MEMORY = {
	MALLOC_MMAP_THRESHOLD_: '2000000000',
	MALLOC_TRIM_THRESHOLD_: '4000000000',
	GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

/**
 * On a GPU, products of float32 are computed in float32. The provider would round their factors to ten bits (TF32), losses would not agree with those of a CPU, and the
 * options that onnxruntime-node passes on cannot forbid it; NVIDIA's libraries obey this variable. A worker that has it set keeps it.
 */
const PRECISION = { NVIDIA_TF32_OVERRIDE: '0' };

/** How many of the last lines that a trainer wrote to stderr are kept for the report of a crash. */
const LINES = 10;
/** How long a trainer may take to exit after it has reported its end, in milliseconds. */
const LONGEST_EXIT = 5000;

/**
 * How a trainer ended: with what it reported, or by a crash, with the last lines that it wrote to stderr. `said`: the lack of memory that any line told of;
 * `oomKills`: how many processes the system ended because memory ran out, while it had the job.
 */
export type TrainerEnd =
	| Exclude<FromTrainer, { type: 'event' | 'measured' }>
	| {
			type: 'crashed';
			code: number | null;
			signal: NodeJS.Signals | null;
			lastLines: string[];
			said: SaidShortage | null;
			oomKills: number;
	  };

export type TrainerProcess = {
	readonly pid: number | undefined;
	/** Resolves when the process has exited and everything that it sent was received. Rejects where it could not be started. */
	readonly ended: Promise<TrainerEnd>;
	/** Asks it to write a checkpoint and end, and kills it where it has not ended after `graceMs` milliseconds. */
	stop(graceMs: number): void;
};

export type TrainerOptions = {
	order: TrainOrder;
	onEvent(body: JobEventBody): void;
	/** Called about once a second with what it measures of itself, and what it has measured since. */
	onMeasured(latest: Measured, tally: Tally): void;
	/** Called with every line that it writes. */
	onLine(stream: 'stdout' | 'stderr', line: string): void;
};

/** Starts a process that can take so many bytes of memory; any where null. An allocation beyond them fails there, with an error that a job can report. */
function forkTrainer(entry: string, memory: number | null): ChildProcess {
	const held = memory === null ? null : heldTo(memory);
	return fork(entry, [], {
		...(held ?? { execArgv: [] }),
		env: { ...PRECISION, ...environmentWithoutSecrets(), ...MEMORY },
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
	});
}

const isAlive = (child: ChildProcess): boolean => child.connected && child.exitCode === null && child.signalCode === null;

/** Starts trainer processes, each for one job. */
export type Trainers = {
	/** Starts a process that loads the engine before there is a job for it, which takes half of the time from a post to the first step. */
	prepare(): void;
	/** Gives a job to the prepared process, or to a new one. */
	start(options: TrainerOptions): TrainerProcess;
	/** Ends the process that waits for a job. Those that have one are ended by their attempts. */
	close(): Promise<void>;
};

/** Trainer processes of the module at the path `entry`, each of which may take `memory` bytes, any where null. `countKills` counts as `oomKills` does. */
export function openTrainers(entry: string, memory: number | null, countKills: () => number | null = oomKills): Trainers {
	let spare: ChildProcess | null = null;
	let closed = false;
	return {
		prepare() {
			if (closed || (spare !== null && isAlive(spare))) return;
			spare = forkTrainer(entry, memory);
			// Its output is read once it has a job, to which the output then belongs. If it could not be started, the next fork will report why.
			spare.on('error', () => {});
		},
		start(options) {
			const child = spare !== null && isAlive(spare) ? spare : forkTrainer(entry, memory);
			spare = null;
			return train(child, countKills, options);
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

function train(
	child: ChildProcess,
	countKills: () => number | null,
	{ order, onEvent, onMeasured, onLine }: TrainerOptions,
): TrainerProcess {
	const killsBefore = countKills();
	const lastLines: string[] = [];
	let said: SaidShortage | null = null;
	let end: TrainerEnd | null = null;
	let force: NodeJS.Timeout | undefined;
	const kill = () => child.kill('SIGKILL');
	// The channel is closed as soon as the process is dead, before its exit is reported here.
	const send = (message: ToTrainer) => child.connected && child.send(message, () => {});

	eachLine(child.stdout, (line) => onLine('stdout', line));
	eachLine(child.stderr, (line) => {
		// V8 says it before a trace that is longer than the lines that are kept.
		said ??= saysOutOfMemory(line);
		lastLines.push(line);
		if (lastLines.length > LINES) lastLines.shift();
		onLine('stderr', line);
	});
	child.on('message', (message: FromTrainer) => {
		if (message.type === 'event') return onEvent(message.body);
		if (message.type === 'measured') return onMeasured(message.latest, message.tally);
		end = message;
		clearTimeout(force);
		force = setTimeout(kill, LONGEST_EXIT);
	});
	const ended = new Promise<TrainerEnd>((resolve, reject) => {
		child.once('error', reject);
		// This comes after the end of the streams and of the channel, so nothing that it sent or wrote is missed.
		child.once('close', (code, signal) => {
			clearTimeout(force);
			resolve(end ?? { type: 'crashed', code, signal, lastLines, said, oomKills: (countKills() ?? 0) - (killsBefore ?? 0) });
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
