import type { AuditLine, AuditQuery, List } from '@steelyard/contracts';
import { type Appender, auditKeys, type ServiceStore } from '@steelyard/store';
import { unknownCursor } from '../resources/page.js';

/** A line without its id, which is its place. */
export type AuditEntry = Omit<AuditLine, 'id'>;

export type Audit = {
	/** Writes a line soon, and waits for nothing. On a full disk it is lost. */
	write(entry: AuditEntry): void;
	/** A page of lines, newest first. Throws ProblemError where there is no line `after`. */
	page(query: AuditQuery): Promise<List<AuditLine>>;
	/** Resolves once every line is written that is to be. */
	written(): Promise<void>;
};

type Options = {
	store: ServiceStore;
	/** Called with the error of the disk and how many lines are lost by it. */
	onLoss(error: unknown, lines: number): void;
	/** From how many bytes on a file is followed by a new one, and how many files are kept; 4 MiB and 64 unless given, or 128 KiB and 2,048 where each process has files of its own. */
	bytes?: number;
	files?: number;
	now?: () => number;
};

/** How many lines wait at most while the disk is slow. */
const WAITING = 10_000;

const nameOf = (month: string, number: number): string => `${month}-${String(number).padStart(6, '0')}`;
const monthOf = (name: string): string => name.slice(0, 7);

/**
 * Opens the audit log of a store: files of JSON lines, a new one each month and when one is full. Several processes may write to it; where each has files of its own, a page has the lines
 * of one after those of the other.
 */
export function openAudit({ store, onLoss, bytes, files, now = Date.now }: Options): Audit {
	const { appendsTogether } = store.files;
	const most = bytes ?? (appendsTogether ? 4 * 1024 ** 2 : 128 * 1024);
	const kept = files ?? (appendsTogether ? 64 : 2048);
	let waiting: string[] = [];
	let writing: Promise<void> | null = null;
	/** The file that is written to, unless it is full. */
	let current: { name: string; file: Appender } | null = null;
	/** Whether what was written last may be half a line. */
	let torn = true;

	/** The names of the files, oldest first. */
	async function names(): Promise<string[]> {
		const keys = await store.list(auditKeys.all(), { deep: false });
		return keys.flatMap((key) => /\/(\d{4}-\d{2}-\d{6})\.jsonl$/.exec(key)?.[1] ?? []).sort();
	}

	/** The name of the file to write to from now on; those are removed that are too many. */
	async function next(full: string | null): Promise<string> {
		const month = new Date(now()).toISOString().slice(0, 7);
		const known = await names();
		const last = known.at(-1);
		for (const name of known.slice(0, Math.max(0, known.length + 1 - kept))) await store.remove(auditKeys.file(name));
		const isNew = last === undefined || monthOf(last) < month;
		if (appendsTogether && !isNew && last !== full) return last;
		for (let number = isNew ? 1 : Number(last.slice(8)) + 1; ; number++) {
			const name = nameOf(isNew ? month : monthOf(last), number);
			if (appendsTogether || (await store.putExclusive(auditKeys.file(name), '')) !== null) return name;
		}
	}

	/** Goes on to another file. */
	async function turnTo(name: string): Promise<NonNullable<typeof current>> {
		await current?.file.close();
		current = { name, file: store.files.openAppender(auditKeys.file(name)) };
		return current;
	}

	/** The file to write to now. */
	async function open(): Promise<Appender> {
		const month = new Date(now()).toISOString().slice(0, 7);
		const { name, file } = current !== null && monthOf(current.name) === month ? current : await turnTo(await next(null));
		if (((await store.stat(auditKeys.file(name)))?.bytes ?? 0) < most) return file;
		return (await turnTo(await next(name))).file;
	}

	async function drain(): Promise<void> {
		while (waiting.length > 0) {
			const lines = waiting;
			waiting = [];
			try {
				const text = lines.join('');
				await (await open()).add(torn ? `\n${text}` : text);
				torn = false;
			} catch (error) {
				torn = true;
				onLoss(error, lines.length);
			}
		}
	}

	/** The lines of a file by their numbers, counted from 1, newest first. */
	async function linesOf(name: string): Promise<{ line: number; text: string }[]> {
		const text = (await store.get(auditKeys.file(name)))?.toString() ?? '';
		return text
			.split('\n')
			.slice(0, -1)
			.map((text, i) => ({ line: i + 1, text }))
			.reverse();
	}

	return {
		write(entry) {
			if (waiting.length >= WAITING) onLoss(new Error('the disk is too slow'), 1);
			else waiting.push(`${JSON.stringify(entry)}\n`);
			writing ??= drain().finally(() => {
				writing = null;
			});
		},

		async page({ limit, after }) {
			await current?.file.flush();
			const data: AuditLine[] = [];
			const [, first, last] = /^(.*)-(\d+)$/.exec(after ?? '') ?? [];
			const all = (await names()).reverse();
			if (first !== undefined && !all.includes(first)) throw unknownCursor(after ?? '');
			for (const name of all) {
				if (first !== undefined && name > first) continue;
				const lines = await linesOf(name);
				if (name === first && Number(last) > lines.length) throw unknownCursor(after ?? '');
				for (const { line, text } of lines) {
					if (name === first && line >= Number(last)) continue;
					const entry = entryIn(text);
					if (entry === null) continue;
					if (data.length === limit) return { object: 'list', data, has_more: true };
					data.push({ id: `${name}-${line}`, ...entry });
				}
			}
			return { object: 'list', data, has_more: false };
		},

		async written() {
			while (writing !== null) await writing;
			await current?.file.close();
			current = null;
		},
	};
}

/** What a line says; null where it is none, because it was written in part on a full disk. */
function entryIn(text: string): AuditEntry | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' ? (value as AuditEntry | null) : null;
	} catch {
		return null;
	}
}
