import { encodeModel, type Graph, numbersOf, OPSET, staticShape } from '@steelyard/onnx';
import { createSession, type DType, sizeOf, type Tensor, tensor } from '@steelyard/runtime';

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Numbers spread evenly over (0, 1), which logarithms and roots take; of integers and bool 0 and 1, which are ids of most tables. */
function spread(shape: readonly number[], dtype: DType, start: number): Tensor {
	const uniform = (i: number): number => ((start + i + 1) * GOLDEN) % 1;
	const number = dtype.startsWith('float') ? uniform : (i: number): number => Math.floor(2 * uniform(i));
	return tensor(
		dtype,
		shape,
		Array.from({ length: sizeOf(shape) }, (_, i) => number(i)),
	);
}

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
}

/**
 * Runs two graphs of the same interface on the same made-up numbers, with `parameters` for the inputs of those names; the shapes are those of `sized`. Resolves with the
 * largest difference between their outputs, relative to the largest number of each output; infinite where shapes differ, or only one gives NaN.
 * Throws RuntimeError where a graph cannot run.
 */
export async function largestDifference(graph: Graph, sized: Graph, parameters: ReadonlyMap<string, Tensor>): Promise<number> {
	const feeds = Object.fromEntries(
		sized.inputs.map((input, i) => [input.name, parameters.get(input.name) ?? spread(staticShape(input), input.dtype, 1000 * i)]),
	);
	const [found, wanted] = [await run(graph, feeds), await run(sized, feeds)];
	let worst = 0;
	for (const [name, right] of Object.entries(wanted)) {
		const other = found[name];
		if (other === undefined || String(other.shape) !== String(right.shape)) return Number.POSITIVE_INFINITY;
		const [a, b] = [numbersOf(other), numbersOf(right)];
		let [largest, difference] = [Number.MIN_VALUE, 0];
		for (let i = 0; i < right.data.length; i++) {
			const [x, y] = [a(i), b(i)];
			if (Object.is(x, y)) continue;
			if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.POSITIVE_INFINITY;
			largest = Math.max(largest, Math.abs(y));
			difference = Math.max(difference, Math.abs(x - y));
		}
		worst = Math.max(worst, difference / largest);
	}
	return worst;
}
