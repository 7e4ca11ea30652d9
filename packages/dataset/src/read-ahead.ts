import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DONE, FAILED, type Order, READING, WAITING } from './read-order.js';
import type { StoredArray } from './stored-array.js';

/** The compiled file, by a path that holds from `src` as well as from `dist`. */
const THREAD = fileURLToPath(new URL('../dist/read-ahead-thread.js', import.meta.url));

/** The most bytes of one array that are read ahead: they are held in memory beside the array into which they are copied. */
const MOST_BYTES = 2 ** 26;

/** The rows of one array that are expected to be wanted next. */
export type AheadOfArray = {
	/** Lets the rows be read meanwhile; they take the place of those that were expected before. All of them are rows of the array. */
	expect(rows: ArrayLike<number>): void;
	/** Copies the rows into `out` where they are those that are expected, waiting until they are read; false where they are others, or could not be read. */
	take(rows: ArrayLike<number>, out: Uint8Array): boolean;
};

const isSame = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
};

/** Ends an order, whether it was begun or not; whether its rows are there. */
function settle({ progress }: Order): boolean {
	if (Atomics.compareExchange(progress, 0, WAITING, FAILED) === READING) Atomics.wait(progress, 0, READING);
	return Atomics.load(progress, 0) === DONE;
}

/** Reads rows of open arrays in a thread of its own, which starts when first needed. */
export function openReadAhead() {
	const orders = new Set<Order>();
	let thread: Worker | null = null;
	const started = (): Worker => {
		thread ??= new Worker(THREAD, { execArgv: [] }).on('error', () => {}); // an order that no thread begins is called off when it is wanted
		thread.unref();
		return thread;
	};
	return {
		of({ fd, start }: Pick<StoredArray<never>, 'fd' | 'start'>, rowBytes: number): AheadOfArray {
			let into = new SharedArrayBuffer(0);
			let expected: Order | null = null;
			const drop = (): boolean => {
				const order = expected;
				if (order === null) return false;
				expected = null;
				orders.delete(order);
				return settle(order);
			};
			return {
				expect(rows) {
					drop();
					const bytes = rows.length * rowBytes;
					if (bytes > MOST_BYTES) return;
					if (into.byteLength < bytes) into = new SharedArrayBuffer(bytes);
					expected = { fd, start, rowBytes, rows: Uint32Array.from(rows), into, progress: new Int32Array(new SharedArrayBuffer(4)) };
					orders.add(expected);
					started().postMessage(expected);
				},
				take(rows, out) {
					if (expected === null || !isSame(expected.rows, rows) || !drop()) return false;
					out.set(new Uint8Array(into, 0, rows.length * rowBytes));
					return true;
				},
			};
		},
		/** Ends the thread; it reads no file any more. */
		close(): void {
			for (const order of orders) settle(order);
			orders.clear();
			void thread?.terminate();
			thread = null;
		},
	};
}
