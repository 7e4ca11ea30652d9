import { constants } from 'node:fs';
import { copyFile, open, rename, rm, stat, truncate } from 'node:fs/promises';

/** Bytes that a log may have before what it holds is set aside as `<file>.1`, in place of what was set aside before. */
export const LOG_LIMIT = 16 * 1024 ** 2;
/** Bytes at the end of a log in which is looked for why its part did not start. */
const TAIL = 64 * 1024;

const isTooLong = (file: string): Promise<boolean> =>
	stat(file).then(
		({ size }) => size > LOG_LIMIT,
		() => false,
	);

/** Opens the log of a part that is about to start. */
export async function openLog(file: string): Promise<{ fd: number; end: number; close(): Promise<void> }> {
	if (await isTooLong(file)) await rename(file, `${file}.1`);
	const log = await open(file, 'a', 0o600);
	return { fd: log.fd, end: (await log.stat()).size, close: () => log.close() };
}

/**
 * Keeps the log of a running part within its limit. The part goes on writing to the same file, so what it writes between the copy and the cut is lost; on a
 * full disk so is the copy.
 */
export async function boundLog(file: string): Promise<void> {
	if (!(await isTooLong(file))) return;
	await rm(`${file}.1`, { force: true });
	await copyFile(file, `${file}.1`, constants.COPYFILE_FICLONE).catch(() => rm(`${file}.1`, { force: true }));
	await truncate(file);
}

/** What a part has written to its log for people since byte `from`: the lines that are not JSON, or the last lines where all are. */
export async function readableLines(file: string, from: number): Promise<string> {
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
