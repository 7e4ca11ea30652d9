import { expect, it } from 'vitest';
import { Growing } from '../src/growing.js';

it.each([
	['doubles', new Float64Array(), (i: number) => i / 3],
	['integers', new Int32Array(), (i: number) => -i],
	['bytes', new Uint8Array(), (i: number) => i % 251],
])('gives %s that were pushed before and after it was asked', (_, array, valueOf) => {
	const growing = new Growing<Float64Array | Int32Array | Uint8Array>(array);
	expect(growing.values).toHaveLength(0);
	// Blocks have 65,536 numbers.
	for (const length of [1, 1000, 65_536, 65_537, 200_000]) {
		while (growing.length < length) growing.push(valueOf(growing.length));
		const { values } = growing;
		expect(values).toHaveLength(length);
		const wanted = (array.constructor as Float64ArrayConstructor).from({ length }, (_, i) => valueOf(i));
		expect(Buffer.compare(Buffer.from(values.buffer, values.byteOffset, values.byteLength), Buffer.from(wanted.buffer))).toBe(0);
	}
});
