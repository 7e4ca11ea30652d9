import type { Store } from '../store.js';
import type { Appender } from './files.js';

/** Milliseconds after which what was added is written. */
const WRITE_AFTER = 1000;

/** Adds to an object of a store that cannot add to objects: it is written whole, from time to time, with the text in memory. What could not be written is tried again. */
export function openWholeText(store: Store, key: string): Appender {
	let text = '';
	let written = 0;
	let timer: NodeJS.Timeout | null = null;
	let last: Promise<void> = Promise.resolve();
	let closed = false;

	async function write(): Promise<void> {
		if (timer !== null) clearTimeout(timer);
		timer = null;
		if (text.length === written) return;
		const now = text;
		await store.put(key, now);
		written = now.length;
	}
	const flush = () => {
		const flushed = last.then(write);
		last = flushed.catch(() => {});
		return flushed;
	};
	const writeLater = () => {
		if (!closed) timer ??= setTimeout(() => void flush().catch(writeLater), WRITE_AFTER).unref();
	};
	return {
		async add(more) {
			text += more;
			writeLater();
		},
		flush,
		close() {
			closed = true;
			return flush();
		},
	};
}
