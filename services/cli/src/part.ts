import { type ChildProcess, fork } from 'node:child_process';
import { open, rename, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The processes that make up the service beside Redis. */
export type Part = 'api' | 'worker';

/** Longest that a part may take to come up, in milliseconds. */
const LONGEST_START = 120_000;
/** A log of more bytes is set aside when its part starts, in place of the one that was set aside before. */
const LOG_LIMIT = 16 * 1024 ** 2;
/** Bytes at the end of a log in which is looked for why its part did not start. */
const TAIL = 64 * 1024;

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

async function openLog(file: string): Promise<{ fd: number; end: number; close(): Promise<void> }> {
	const size = await stat(file).then(
		(found) => found.size,
		() => 0,
	);
	if (size > LOG_LIMIT) await rename(file, `${file}.1`);
	const log = await open(file, 'a');
	return { fd: log.fd, end: (await log.stat()).size, close: () => log.close() };
}

/** What a part has written to its log for people since byte `from`: the lines that are not JSON, or the last lines where all are. */
async function readableLines(file: string, from: number): Promise<string> {
	const log = await open(file, 'r');
	try {
		const start = Math.max(from, (await log.stat()).size - TAIL);
		const { buffer, bytesRead } = await log.read(Buffer.alloc(TAIL), 0, TAIL, start);
		const lines = buffer.toString('utf8', 0, bytesRead).trim().split('\n');
		return lines.filter((line) => !line.startsWith('{')).join('\n') || lines.slice(-3).join('\n');
	} finally {
		await log.close();
	}
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
	const child = fork(fileURLToPath(ENTRIES[part]()), { env, execArgv: NODE_OPTIONS, stdio: ['ignore', sink, sink, 'ipc'] });
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
			const reason = words.includes('EADDRINUSE')
				? `${env['HOST']}:${env['PORT']} is in use: end what listens there, or choose another port by --port or PORT`
				: words;
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
