import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ModelInterface } from '@steelyard/contracts';
import { decodeModel, HALVES, interfaceOf, type Model, parametersOf } from '@steelyard/onnx';
import { readBytes } from '../model/read-bytes.js';

/** The file of an uploaded graph. */
export type GraphFile = {
	/** Reads the whole file. */
	readonly read: () => Uint8Array;
	/** As uploaded, at its own operator set (13 where that is older), with float32 in the place of float16 and bfloat16. Large tensors are read from the file each time. */
	readonly model: Model;
};

/** Reads the file of an uploaded graph. Throws GraphError where it holds no model. */
export async function readGraphFile(path: string): Promise<GraphFile> {
	const readAgain = (start: number, end: number): Uint8Array => {
		const file = openSync(path, 'r');
		try {
			const bytes = readBytes(file, start, end);
			if (bytes.length < end - start) throw new Error(`${path} ends at ${start + bytes.length}, where a tensor lay when it was read first`);
			return bytes;
		} finally {
			closeSync(file);
		}
	};
	return { read: () => readFileSync(path), model: decodeModel(await readFile(path), { widen: HALVES, readAgain }) };
}

/** What a graph takes, gives and learns, as inspection reported it when the graph was uploaded. */
export const modelInterfaceOf = ({ model }: GraphFile): ModelInterface => ({
	...interfaceOf(model),
	parameters: parametersOf(model).map((parameter) => ({ ...parameter, shape: [...parameter.shape] })),
});
