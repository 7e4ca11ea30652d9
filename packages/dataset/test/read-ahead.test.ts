import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openReadAhead } from '../src/read-ahead.js';
import { openStoredArray } from '../src/stored-array.js';
import { ingestFiles } from './ingest-files.js';
import { npy } from './write-npy.js';

const ROWS = 50;
const ROW_BYTES = 12;

async function opened() {
	const { folder } = await ingestFiles({
		'train_x.npy': npy(
			'<f4',
			[ROWS, 3],
			Array.from({ length: ROWS * 3 }, (_, i) => i),
		),
		'train_labels.npy': npy(
			'<i8',
			[ROWS],
			Array.from({ length: ROWS }, (_, i) => i % 2),
		),
	});
	const array = openStoredArray(folder, 'train_x.npy', 'float32', [ROWS, 3]);
	const ahead = openReadAhead();
	return { array, ahead, ofArray: ahead.of(array, ROW_BYTES) };
}

describe('reading ahead', () => {
	it('reads in a thread of its own what is expected, and gives it once', async () => {
		const { array, ahead, ofArray } = await opened();
		const rows = [7, 8, 9, 2, 7, 49];
		const out = new Float32Array(rows.length * 3);
		const bytes = new Uint8Array(out.buffer);
		ofArray.expect(rows);
		// until the thread has started, an order is called off when its rows are wanted
		while (!ofArray.take(rows, bytes)) {
			ofArray.expect(rows);
			await setImmediate();
		}
		expect([...out]).toEqual(rows.flatMap((row) => [row * 3, row * 3 + 1, row * 3 + 2]));
		expect(ofArray.take(rows, bytes)).toBe(false);
		ofArray.expect(rows);
		expect(ofArray.take(rows.slice(1), bytes.subarray(ROW_BYTES))).toBe(false);
		ahead.close();
		array.close();
	});

	it('leaves what is too much for memory to whoever wants it', async () => {
		const { array, ahead } = await opened();
		const wide = ahead.of(array, 2 ** 25);
		wide.expect([0, 1, 2]);
		expect(wide.take([0, 1, 2], new Uint8Array(0))).toBe(false);
		ahead.close();
		array.close();
	});
});
