import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SECRET_VARIABLES } from '@steelyard/service-process';
import { eachLine } from './lines.js';
import type { FromInspector, ToInspector } from './protocol.js';

/** The compiled file, by a path that holds from `src` as well as from `dist`. */
export const INSPECT_ENTRY = fileURLToPath(new URL('../dist/inspect-child.js', import.meta.url));

/** What one inspection may take. */
export type InspectionLimits = {
	/** Milliseconds from the start of its process. */
	ms: number;
	/** Bytes of memory. Watched on Linux; the JavaScript heap is held to it everywhere. */
	bytes: number;
};

export const LIMITS: InspectionLimits = { ms: 60_000, bytes: 4 * 1024 ** 3 };

/** Milliseconds between two looks at the memory. */
const LOOK_EVERY = 50;
/** How many of the last lines that the process wrote are kept for the report of a crash. */
const LINES = 5;

/**
 * How an inspection ended: with what the process reported, over a limit (`bytes`: how much memory it had reached, null where that is not known), or by a
 * crash with the last lines that it wrote.
 */
export type InspectorEnd =
	| FromInspector
	| { type: 'late' }
	| { type: 'too big'; bytes: number | null }
	| { type: 'crashed'; code: number | null; signal: NodeJS.Signals | null; lastLines: string[] };

export type InspectorOptions = {
	/** Path of the module that speaks the inspector's side of the protocol. */
	entry: string;
	/** Path of the upload. */
	model: string;
	/** Called with the path of the model as one file where the upload is an archive that holds it. The file is removed once this has settled. */
	onUnpacked(file: string): Promise<void>;
	/** The folder for its temporary files, which is made for it and removed when it has ended. */
	scratch: string;
	limits: InspectionLimits;
	/** Ends the process when it is aborted. */
	signal: AbortSignal;
	/** Called with every line that it writes to stdout or stderr. */
	onLine(line: string): void;
};

/** The most memory that a process has had resident so far, in bytes; null where the system does not report it. */
async function peakOf(pid: number): Promise<number | null> {
	const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
	const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
	return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/** The environment without the secrets of the service: the process that reads a stranger's bytes is given none. */
const environmentWithoutSecrets = (): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRET_VARIABLES.has(name)));

function begin({ entry, limits: { bytes }, scratch }: InspectorOptions): ChildProcess {
	const child = fork(entry, [], {
		execArgv: [`--max-old-space-size=${Math.max(1, Math.floor(bytes / 1024 ** 2))}`],
		env: { ...environmentWithoutSecrets(), TMPDIR: scratch },
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
	});
	// If the system runs out of memory, this process should be ended first. Where it cannot be asked to, nothing is lost.
	if (child.pid !== undefined) writeFile(`/proc/${child.pid}/oom_score_adj`, '1000').catch(() => {});
	return child;
}

/** Calls `over` when the memory of a process has passed the limit; returns a function that ends the watch. */
function watchMemory(pid: number | undefined, limit: number, over: (bytes: number) => void): () => void {
	let timer: NodeJS.Timeout | undefined;
	const look = async () => {
		const peak = await peakOf(pid as number);
		if (peak !== null && peak > limit) over(peak);
		else if (timer !== undefined && peak !== null) timer = setTimeout(look, LOOK_EVERY);
	};
	if (pid !== undefined) timer = setTimeout(look, LOOK_EVERY);
	return () => {
		clearTimeout(timer);
		timer = undefined;
	};
}

/** Inspects a model in a process of its own, which has ended when this settles. Rejects where the process could not be started, or when the signal aborts. */
export async function runInspector(options: InspectorOptions): Promise<InspectorEnd> {
	const { scratch } = options;
	const whole = join(scratch, 'model.onnx');
	await rm(scratch, { recursive: true, force: true });
	await mkdir(scratch, { recursive: true });
	try {
		const end = await inspectInChild(options, whole);
		if (end.type === 'report' && end.unpacked) await options.onUnpacked(whole);
		return end;
	} finally {
		await rm(scratch, { recursive: true, force: true });
	}
}

async function inspectInChild(options: InspectorOptions, whole: string): Promise<InspectorEnd> {
	const { model, limits, signal, onLine } = options;
	signal.throwIfAborted();
	const child = begin(options);
	const lastLines: string[] = [];
	let reported: InspectorEnd | null = null;
	const kill = (why: InspectorEnd | null) => {
		reported ??= why;
		child.kill('SIGKILL');
	};
	const abort = () => kill(null);
	signal.addEventListener('abort', abort, { once: true });
	const late = setTimeout(() => kill({ type: 'late' }), limits.ms);
	const unwatch = watchMemory(child.pid, limits.bytes, (bytes) => kill({ type: 'too big', bytes }));
	eachLine(child.stdout, onLine);
	eachLine(child.stderr, (line) => {
		onLine(line);
		if (line.includes('JavaScript heap out of memory')) reported ??= { type: 'too big', bytes: null };
		if (!/^\s+at /.test(line) && lastLines.push(line) > LINES) lastLines.shift();
	});
	child.once('message', (message: FromInspector) => {
		reported ??= message;
	});
	try {
		const end = await new Promise<InspectorEnd>((resolve, reject) => {
			child.once('error', reject);
			// This comes after the end of the streams and of the channel, so nothing that it sent or wrote is missed.
			child.once('close', (code, by) => resolve(reported ?? { type: 'crashed', code, signal: by, lastLines }));
			child.send({ model, whole } satisfies ToInspector, () => {});
		});
		signal.throwIfAborted();
		return end;
	} finally {
		signal.removeEventListener('abort', abort);
		clearTimeout(late);
		unwatch();
	}
}
