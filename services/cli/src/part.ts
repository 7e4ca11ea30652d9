import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundled } from '@steelyard/service-process';
import { inUse } from './check-address.js';
import { openLog, readableLines } from './part-log.js';

/** The processes that make up the service beside Redis. */
export type Part = 'api' | 'worker';

/** Longest that a part may take to come up, in milliseconds. */
const LONGEST_START = 120_000;
/** Milliseconds between two questions to a part whether it is alive, and how many it may leave unanswered. */
const ASK_EVERY = 10_000;
const UNANSWERED = 2;

/** A small young generation: uploads and downloads are short-lived buffers, and V8 would otherwise let them take 30 MB more before it collects. */
const NODE_OPTIONS = ['--max-semi-space-size=2'];
const ENTRIES: Readonly<Record<Part, () => string>> = {
	api: () => import.meta.resolve('@steelyard/api/main'),
	worker: () => import.meta.resolve('@steelyard/worker/main'),
};

/** A part that did not come up, with the last lines that it wrote. */
export class ServiceStartError extends Error {
	override readonly name = 'ServiceStartError';
	readonly code = 'service_start';
}

export type PartOptions = {
	part: Part;
	env: NodeJS.ProcessEnv;
	/** null: it logs to this process's stderr. */
	logFile: string | null;
	/** Called with the process at once, while it is not ready yet. */
	forked(child: ChildProcess): void;
};

/** Forks one part; resolves with its first message, which says that it is ready. Throws ServiceStartError. */
export async function startPart({
	part,
	env,
	logFile,
	forked,
}: PartOptions): Promise<{ child: ChildProcess; message: Record<string, unknown> }> {
	const log = logFile === null ? null : await openLog(logFile);
	const sink = log?.fd ?? 2;
	const child = fork(bundled(fileURLToPath(ENTRIES[part]())), { env, execArgv: NODE_OPTIONS, stdio: ['ignore', sink, sink, 'ipc'] });
	forked(child);
	await log?.close();
	return new Promise((ready, refuse) => {
		const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_START);
		child.once('message', (message) => {
			clearTimeout(timer);
			child.off('exit', died);
			ready({ child, message: message as Record<string, unknown> });
		});
		const died = async (code: number | null, signal: NodeJS.Signals | null): Promise<void> => {
			clearTimeout(timer);
			const words =
				logFile === null
					? `it ended with ${signal ?? `code ${code}`}`
					: await readableLines(logFile, log?.end ?? 0).catch((error: Error) => error.message);
			const reason = words.includes('EADDRINUSE') ? inUse(env['HOST'] ?? '', env['PORT'] ?? '') : words;
			refuse(new ServiceStartError(`the ${part} did not start: ${reason}`));
		};
		child.once('exit', died);
		child.once('error', refuse);
	});
}

/** Ends a part by SIGTERM, and by SIGKILL where it is still there after `longestMs` milliseconds. Nothing happens where it has ended or never began. */
export async function endPart(child: ChildProcess | undefined, longestMs: number): Promise<void> {
	if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
	const gone = new Promise((done) => child.once('exit', done));
	child.kill('SIGTERM');
	const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
	await gone;
	clearTimeout(timer);
}

/** Kills a part that hangs: one that leaves several questions in a row unanswered. Whoever keeps the part then starts it again. */
export function watchPart(child: ChildProcess, { everyMs = ASK_EVERY } = {}): void {
	let unanswered = 0;
	const timer = setInterval(() => {
		if (unanswered === UNANSWERED) child.kill('SIGKILL');
		unanswered++;
		if (child.connected) child.send({ type: 'ping' }, () => {});
	}, everyMs);
	timer.unref();
	child.on('message', () => {
		unanswered = 0;
	});
	child.once('exit', () => clearInterval(timer));
}
