import { type GraphBuilder, type Node, numbersOf, type Value } from '@steelyard/onnx';
import { sizeOf, type Tensor } from '@steelyard/runtime';
import { type Fit, fitToSizes } from './fit-to-sizes.js';
import { SizeError } from './size-error.js';

/** Gives the product of sizes, each to a power, as int64 `[1]`. */
export type SizeExpressions = (exponents: readonly number[]) => Value;

/** The sizes of the dimensions at `places`, read from the shapes of the inputs; equal products are computed once. */
export function sizeExpressions(g: GraphBuilder, places: readonly { readonly input: string; readonly axis: number }[]): SizeExpressions {
	const known = new Map<string, Value>();
	const once = (key: string, make: () => Value): Value => {
		const value = known.get(key) ?? make();
		known.set(key, value);
		return value;
	};
	const size = (i: number): Value =>
		once(`size ${i}`, () => {
			const { input, axis } = places[i] as { input: string; axis: number };
			return g.op('Shape', [g.value(input)], { start: axis, end: axis + 1 }, { dtype: 'int64', shape: [1] });
		});
	return (exponents) =>
		once(String(exponents), () =>
			exponents
				.flatMap((exponent, i) => Array.from({ length: exponent }, () => size(i)))
				.reduce((product, factor) => g.mul(product, factor)),
		);
}

/** float32 constants are rounded to 24 bits. */
const toleranceOf = (dtype: string): number => ({ float32: 1e-6, float64: 1e-12 })[dtype] ?? 0;

/** Σ slope · product + constant for every number of a tensor of `shape`, in float64 or int64. */
function summed(
	g: GraphBuilder,
	sizes: SizeExpressions,
	fits: readonly Fit[],
	shape: readonly number[],
	dtype: 'int64' | 'float64',
): Value {
	const terms = new Map<string, readonly number[]>();
	for (const { exponents } of fits) if (exponents !== null) terms.set(String(exponents), exponents);
	let sum: Value | null = null;
	for (const [key, exponents] of terms) {
		const slopes = fits.map((fit) => (String(fit.exponents) === key ? fit.slope : 0));
		const product = g.cast(sizes(exponents), dtype);
		const term = g.mul(g.constant(dtype, shape, slopes), shape.length === 0 ? g.op('Squeeze', [product], {}, { shape: [] }) : product);
		sum = sum === null ? term : g.add(sum, term);
	}
	const constants = g.constant(
		dtype,
		shape,
		fits.map(({ constant }) => constant),
	);
	if (sum === null) return constants;
	return fits.every(({ constant }) => constant === 0) ? sum : g.add(sum, constants);
}

/** Numbers of one shape, `numbers[k]` at the sizes `samples[k]`, as a value of `dtype`; null where they follow no formula. */
function numbersOfSizes(
	g: GraphBuilder,
	sizes: SizeExpressions,
	numbers: readonly (readonly number[])[],
	samples: readonly (readonly number[])[],
	{ dtype, shape }: { dtype: Tensor['dtype']; shape: readonly number[] },
): Value | null {
	const tolerance = toleranceOf(dtype);
	const fitted = (of: (value: number) => number): Fit[] | null => {
		const fits = (numbers[0] as readonly number[]).map((_, i) =>
			fitToSizes(
				numbers.map((all) => of(all[i] as number)),
				samples,
				tolerance,
			),
		);
		return fits.every((fit) => fit !== null) ? fits : null;
	};
	const direct = fitted((value) => value);
	if (direct !== null) {
		if (direct.every(({ exponents }) => exponents === null)) return g.constant(dtype, shape, numbers[0] as readonly number[]);
		return g.cast(summed(g, sizes, direct, shape, tolerance > 0 ? 'float64' : 'int64'), dtype);
	}
	const inverse = tolerance > 0 ? fitted((value) => 1 / value) : null;
	if (inverse === null) return null;
	return g.cast(g.div(g.scalar(1, 'float64'), summed(g, sizes, inverse, shape, 'float64')), dtype);
}

/** The first number along every axis of `varying`, and by how much the numbers grow along each; null where they do not grow evenly. */
function progression(tensor: Tensor, varying: ReadonlySet<number>): { first: number[]; steps: number[] } | null {
	const { shape } = tensor;
	const at = numbersOf(tensor);
	const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
	const steps = shape.map((_, axis) => (varying.has(axis) ? at(strides[axis] as number) - at(0) : 0));
	const first: number[] = [];
	for (let i = 0; i < sizeOf(shape); i++) {
		const place = shape.map((size, axis) => Math.floor(i / (strides[axis] as number)) % size);
		const origin = place.reduce((sum, index, axis) => sum + (varying.has(axis) ? 0 : index * (strides[axis] as number)), 0);
		const grown = place.reduce(
			(sum, index, axis) => sum + (varying.has(axis) && steps[axis] !== 0 ? index * (steps[axis] as number) : 0),
			0,
		);
		if (!Object.is(at(i), at(origin) + grown)) return null;
		if (origin === i) first.push(at(i));
	}
	return { first, steps };
}

/**
 * A constant of `node` that is `constants[k]` where the sizes are `samples[k]`, computed from the sizes. Its numbers, and its shape, may follow them; along an axis
 * whose length does, its numbers are equal or grow evenly. Throws SizeError where it follows them in another way.
 */
export function constantOfSizes(
	g: GraphBuilder,
	sizes: SizeExpressions,
	constants: readonly Tensor[],
	samples: readonly (readonly number[])[],
	node: Node,
): Value {
	const { dtype, shape } = constants[0] as Tensor;
	const refused = (): SizeError =>
		new SizeError(`a constant of node "${node.name}" (${node.op}), ${dtype} [${shape}], is no simple function of it`);
	const shapes = constants.map((constant) => constant.shape);
	if (shapes.some(({ length }) => length !== shape.length)) throw refused();
	const varying = new Set(shape.flatMap((size, axis) => (shapes.every((other) => other[axis] === size) ? [] : [axis])));
	if (varying.size === 0) {
		const numbers = constants.map((constant) => Array.from({ length: sizeOf(shape) }, (_, i) => numbersOf(constant)(i)));
		const value = numbersOfSizes(g, sizes, numbers, samples, { dtype, shape });
		if (value === null) throw refused();
		return value;
	}
	const found = constants.map((constant) => progression(constant, varying));
	const all = found.flatMap((one) => (one === null ? [] : [one]));
	const length = numbersOfSizes(g, sizes, shapes, samples, { dtype: 'int64', shape: [shape.length] });
	if (all.length < found.length || length === null) throw refused();
	const part = (numbers: number[][], of: readonly number[]): Value => {
		const value = numbersOfSizes(g, sizes, numbers, samples, { dtype, shape: of });
		if (value === null) throw refused();
		return value;
	};
	const firstShape = shape.map((size, axis) => (varying.has(axis) ? 1 : size));
	let sum = g.op(
		'Expand',
		[
			part(
				all.map(({ first }) => first),
				firstShape,
			),
			length,
		],
		{},
		{ shape },
	);
	for (const axis of varying) {
		if (all.every(({ steps }) => steps[axis] === 0)) continue;
		const step = part(
			all.map(({ steps }) => [steps[axis] as number]),
			[],
		);
		const count = g.op('Gather', [length, g.constant('int64', [], [axis])], {}, { shape: [] });
		const places = g.op(
			'Range',
			[g.constant('int64', [], [0]), count, g.constant('int64', [], [1])],
			{},
			{ shape: [shape[axis] as number] },
		);
		const along = g.reshape(
			places,
			shape.map((_, other) => (other === axis ? -1 : 1)),
		);
		sum = g.add(sum, g.mul(step, g.cast({ ...along, shape: shape.map((size, other) => (other === axis ? size : 1)) }, dtype)));
	}
	return sum;
}
