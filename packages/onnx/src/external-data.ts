import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
	type AttributeProto,
	type GraphProto,
	type ModelProto,
	ModelProtoSchema,
	type TensorProto,
	TensorProto_DataLocation,
} from 'onnx-buf';
import { GraphError } from './graph.js';

/** Gives bytes of the file `location`, a path relative to the model; all from `offset` on where `length` is null. They do not change. Throws GraphError where it cannot. */
export type ReadExternal = (location: string, offset: number, length: number | null) => Promise<Uint8Array>;

/** The most bytes of one file: protobuf holds no more. */
export const MOST_BYTES = 2 ** 31 - 1;

function tensorsIn(model: ModelProto): TensorProto[] {
	const found: TensorProto[] = [];
	const attributes = (all: readonly AttributeProto[]): void => {
		for (const { t, g } of all) {
			if (t !== undefined) found.push(t);
			if (g !== undefined) graph(g);
		}
	};
	const graph = ({ initializer, node }: GraphProto): void => {
		found.push(...initializer);
		for (const { attribute } of node) attributes(attribute);
	};
	if (model.graph !== undefined) graph(model.graph);
	for (const { node } of model.functions) for (const { attribute } of node) attributes(attribute);
	return found.filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL);
}

/** Where the bytes of a tensor lie. Throws GraphError where that is not said, or said wrongly. */
function placeOf({ name, externalData }: TensorProto): { location: string; offset: number; length: number | null } {
	const given = new Map(externalData.map(({ key, value }) => [key, value]));
	const location = given.get('location') ?? '';
	const [offset, length] = [Number(given.get('offset') ?? 0), given.has('length') ? Number(given.get('length')) : null];
	const isCount = (count: number): boolean => Number.isSafeInteger(count) && count >= 0;
	if (location === '' || !isCount(offset) || !isCount(length ?? 0))
		throw new GraphError('malformed_model', `tensor "${name}" does not say where in which file its data lie`, name);
	return { location, offset, length };
}

/**
 * A serialised model with the data that lie in other files inside it; the bytes themselves where there are none. Reads tensor by tensor, so a file of data may have
 * any size. Throws GraphError, also where the model would have more bytes than one file may.
 */
export async function withExternalData(bytes: Uint8Array, read: ReadExternal): Promise<Uint8Array> {
	let model: ModelProto;
	try {
		model = fromBinary(ModelProtoSchema, bytes);
	} catch {
		return bytes; // whoever reads the model says what is wrong with it
	}
	const external = tensorsIn(model);
	if (external.length === 0) return bytes;
	let total = bytes.length;
	for (const proto of external) {
		const { location, offset, length } = placeOf(proto);
		proto.rawData = (await read(location, offset, length)) as Uint8Array<ArrayBuffer>;
		proto.externalData = [];
		proto.dataLocation = TensorProto_DataLocation.DEFAULT;
		total += proto.rawData.length;
		if (total > MOST_BYTES)
			throw new GraphError(
				'unsupported_model',
				`the model and its data have more than ${MOST_BYTES} bytes, which one ONNX file cannot hold`,
			);
	}
	return toBinary(ModelProtoSchema, model);
}
