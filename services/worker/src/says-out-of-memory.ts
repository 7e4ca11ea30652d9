import { isOutOfMemory } from '@steelyard/contracts';

/** Of what lack of memory a process can tell itself: it was refused some that it asked for, or the heap of JavaScript was full. */
export type SaidShortage = 'refused' | 'heap';

/** What a message of V8, of Node.js, of the C++ library or of ONNX Runtime says of a lack of memory; null where it says nothing of it. */
export function saysOutOfMemory(message: string): SaidShortage | null {
	if (/JavaScript heap out of memory|Fatal process out of memory/i.test(message)) return 'heap';
	return isOutOfMemory(message) ? 'refused' : null;
}
