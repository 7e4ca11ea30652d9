import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SECRET_VARIABLES } from '@steelyard/service-process';
import { eachLine } from './lines.js';
import type { FromInspector, ToInspector } from './protocol.js';

/** Seen from the sources as from what is built. */
export const INSPECT_ENTRY = fileURLToPath(new URL('../dist/inspect-child.js', import.meta.url));

/** What one inspection may take. */
export type InspectionLimits = {
	/** Milliseconds from the start of its process. */
	ms: number;
	/** Bytes of memory, looked at on Linux; the JavaScript heap is held to it everywhere. */
	bytes: number;
};

export const LIMITS: InspectionLimits = { ms: 60_000, bytes: 4 * 1024 ** 3 };

/** Milliseconds between two looks at the memory. */
const LOOK = 50;
/** Lines of its last words that a crash is told with. */
const WORDS = 5;

/** How an inspection ended: with what the process told, over a limit, or without a word of its own. `bytes`: what was reached, null where not known. */
export type InspectorEnd =
	| FromInspector
	| { type: 'late' }
	| { type: 'too big'; bytes: number | null }
	| { type: 'crashed'; code: number | null; signal: NodeJS.Signals | null; words: string[] };

export type InspectorOptions = {
	/** Path of the module that speaks the inspector's side of the protocol. */
	entry: string;
	/** Path of the model. */
	model: string;
	/** Folder that is made for what it writes, and is gone when it has ended. */
	scratch: string;
	limits: InspectionLimits;
	/** Ends the process. */
	signal: AbortSignal;
	/** What it writes outside of the protocol. */
	onLine(line: string): void;
};

/** Most memory that a process has had resident, in bytes; null where the system does not tell. */
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
	// Where the system itself runs out of memory, this is what it should end. Refused or not known, nothing is lost.
	if (child.pid !== undefined) writeFile(`/proc/${child.pid}/oom_score_adj`, '1000').catch(() => {});
	return child;
}

/** Calls `over` once the memory of a process has passed the limit; returns what ends the watch. */
function watchMemory(pid: number | undefined, limit: number, over: (bytes: number) => void): () => void {
	let timer: NodeJS.Timeout | undefined;
	const look = async () => {
		const peak = await peakOf(pid as number);
		if (peak !== null && peak > limit) over(peak);
		else if (timer !== undefined && peak !== null) timer = setTimeout(look, LOOK);
	};
	if (pid !== undefined) timer = setTimeout(look, LOOK);
	return () => {
		clearTimeout(timer);
		timer = undefined;
	};
}

/** Has a model inspected in a process of its own, which is gone when this resolves. Rejects where the process could not be started, or when the signal aborts. */
export async function runInspector(options: InspectorOptions): Promise<InspectorEnd> {
	const { scratch } = options;
	await rm(scratch, { recursive: true, force: true });
	await mkdir(scratch, { recursive: true });
	try {
		return await toItsEnd(options);
	} finally {
		await rm(scratch, { recursive: true, force: true });
	}
}

async function toItsEnd(options: InspectorOptions): Promise<InspectorEnd> {
	const { model, limits, signal, onLine } = options;
	signal.throwIfAborted();
	const child = begin(options);
	const words: string[] = [];
	let told: InspectorEnd | null = null;
	const kill = (why: InspectorEnd | null) => {
		told ??= why;
		child.kill('SIGKILL');
	};
	const abort = () => kill(null);
	signal.addEventListener('abort', abort, { once: true });
	const late = setTimeout(() => kill({ type: 'late' }), limits.ms);
	const unwatch = watchMemory(child.pid, limits.bytes, (bytes) => kill({ type: 'too big', bytes }));
	eachLine(child.stdout, onLine);
	eachLine(child.stderr, (line) => {
		onLine(line);
		if (line.includes('JavaScript heap out of memory')) told ??= { type: 'too big', bytes: null };
		if (!/^\s+at /.test(line) && words.push(line) > WORDS) words.shift();
	});
	child.once('message', (message: FromInspector) => {
		told ??= message;
	});
	try {
		const end = await new Promise<InspectorEnd>((resolve, reject) => {
			child.once('error', reject);
			// After the streams and the channel, so that nothing that it said is missed.
			child.once('close', (code, by) => resolve(told ?? { type: 'crashed', code, signal: by, words }));
			child.send({ model } satisfies ToInspector, () => {});
		});
		signal.throwIfAborted();
		return end;
	} finally {
		signal.removeEventListener('abort', abort);
		clearTimeout(late);
		unwatch();
	}
}
