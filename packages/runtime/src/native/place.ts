import { RuntimeError, wordsOf } from '../errors.js';
import { arrayTypeOf, type DType, sizeOf, type Tensor } from '../tensor.js';
import { type Memory, WebAssembly } from './web-assembly.js';

/** What `placeTensors` is to make room for. */
export type TensorSize = { readonly dtype: DType; readonly shape: readonly number[] };

/** The bytes of a cache line: every tensor begins at one, and those that lie behind another do not share its last. */
const LINE = 64;
const PAGE = 65536;
/** The most that a WebAssembly memory can hold. */
const MOST_BYTES = 2 ** 32;

function memoryOf(pages: number): Memory {
	try {
		return new WebAssembly.Memory({ initial: pages, maximum: pages });
	} catch (error) {
		throw new RuntimeError('out_of_memory', `Failed to allocate memory: ${pages * PAGE} bytes (${wordsOf(error)})`, error);
	}
}

/**
 * Lays out tensors of zeros in one memory outside of the JavaScript heap, where they never move: native code and WebAssembly work on them in place. A tensor begins
 * at a cache line, and up to the next line its memory is its own, so that loops over it may run over its end by less than 64 bytes. Throws RangeError for more than
 * 4 GiB, and RuntimeError `out_of_memory` where there is not so much.
 */
export function placeTensors(wanted: Readonly<Record<string, TensorSize>>): {
	memory: Memory;
	tensors: Record<string, Tensor>;
} {
	let end = LINE;
	const places = Object.entries(wanted).map(([name, { dtype, shape }]) => {
		const type = arrayTypeOf(dtype);
		const start = end;
		const bytes = sizeOf(shape) * type.BYTES_PER_ELEMENT;
		// one line more than it takes: tensors of the same size would otherwise lie a power of two apart, and put each other out of the caches
		end += (Math.ceil(bytes / LINE) + 1) * LINE;
		return { name, type, start, dtype, shape };
	});
	if (end > MOST_BYTES) throw new RangeError(`tensors of ${end} bytes do not fit into one memory, which holds ${MOST_BYTES}`);
	const memory = memoryOf(Math.ceil(end / PAGE));
	const tensors = places.map(({ name, type, start, dtype, shape }): [string, Tensor] => [
		name,
		{ dtype, shape, data: new (type as Float32ArrayConstructor)(memory.buffer, start, sizeOf(shape)) },
	]);
	return { memory, tensors: Object.fromEntries(tensors) };
}
