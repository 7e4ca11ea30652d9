// The thread that reads rows from disk while the main one computes. It takes orders, and says by a number in shared memory how far each one is.
import { parentPort } from 'node:worker_threads';
import { readFully } from './read-fully.js';
import { DONE, FAILED, type Order, READING, WAITING } from './read-order.js';
import { eachRun } from './runs.js';

function read({ fd, start, rowBytes, rows, into }: Order): number {
	const bytes = new Uint8Array(into);
	let whole = true;
	eachRun(rows, (row, count, at) => {
		const part = bytes.subarray(at * rowBytes, (at + count) * rowBytes);
		whole &&= readFully(fd, part, start + row * rowBytes) === part.length;
	});
	return whole ? DONE : FAILED;
}

parentPort?.on('message', (order: Order) => {
	if (Atomics.compareExchange(order.progress, 0, WAITING, READING) !== WAITING) return;
	let result: number = FAILED;
	try {
		result = read(order);
	} catch {
		// whoever wants the rows reads them then, and reports what is wrong
	}
	Atomics.store(order.progress, 0, result);
	Atomics.notify(order.progress, 0);
});
