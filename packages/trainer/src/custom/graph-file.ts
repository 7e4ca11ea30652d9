import { readFile } from 'node:fs/promises';
import type { ModelInterface } from '@steelyard/contracts';
import { decodeModel, HALVES, interfaceOf, type Model, parametersOf } from '@steelyard/onnx';

/** The file of an uploaded graph. */
export type GraphFile = {
	readonly bytes: Uint8Array;
	/** As uploaded, at its own operator set (13 where that is older), with float32 in the place of float16 and bfloat16. */
	readonly model: Model;
};

/** Reads the file of an uploaded graph. Throws GraphError where it holds no model. */
export async function readGraphFile(path: string): Promise<GraphFile> {
	const bytes = await readFile(path);
	return { bytes, model: decodeModel(bytes, { widen: HALVES }) };
}

/** What a graph takes, gives and learns, as inspection reported it when the graph was uploaded. */
export const modelInterfaceOf = ({ model }: GraphFile): ModelInterface => ({
	...interfaceOf(model),
	parameters: parametersOf(model).map((parameter) => ({ ...parameter, shape: [...parameter.shape] })),
});
