import { GraphError } from '@steelyard/onnx';

/** How many bytes a part of a file of `size` bytes has, to the end where no `length` is given. Throws GraphError where the file does not have them. */
export function lengthOfPart(location: string, size: number, offset: number, length: number | null): number {
	const wanted = length ?? size - offset;
	if (wanted < 0 || offset + wanted > size)
		throw new GraphError(
			'malformed_model',
			`the file "${location}" has ${size} bytes, expected at least ${offset + Math.max(0, wanted)}`,
			location,
		);
	return wanted;
}
