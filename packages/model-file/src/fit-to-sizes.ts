/** slope · Π sizeᵢ^exponentᵢ + constant, as it was found from a number at several sizes; a number that is the same at all has no exponents. */
export type Fit = { readonly exponents: readonly number[] | null; readonly slope: number; readonly constant: number };

/** Every choice of exponents 0 to 2 for `count` sizes, but not all 0, from the lowest degree to the highest. */
function exponentsOf(count: number): number[][] {
	let all: number[][] = [[]];
	for (let i = 0; i < count; i++) all = all.flatMap((one) => [0, 1, 2].map((exponent) => [...one, exponent]));
	const degree = (exponents: readonly number[]): number => exponents.reduce((sum, exponent) => sum + exponent, 0);
	return all.filter((one) => degree(one) > 0).sort((a, b) => degree(a) - degree(b));
}

const product = (sizes: readonly number[], exponents: readonly number[]): number =>
	exponents.reduce((result, exponent, i) => result * (sizes[i] as number) ** exponent, 1);

/** The whole number that a number is but for rounding, or the number itself. */
const snapped = (value: number, tolerance: number): number => {
	const whole = Math.round(value);
	return Math.abs(value - whole) <= tolerance * Math.abs(value) ? whole : value;
};

/**
 * How a number follows from the sizes: `values[k]` is what it is where the sizes are `samples[k]`; of at least three samples, two fix a formula and the others
 * confirm it. `tolerance` is relative, 0 for integers, whose formulas have integers only. null where no formula fits.
 */
export function fitToSizes(values: readonly number[], samples: readonly (readonly number[])[], tolerance: number): Fit | null {
	const [first = 0, second = 0] = values;
	if (values.every((value) => Object.is(value, first))) return { exponents: null, slope: 0, constant: first };
	if (!values.every(Number.isFinite)) return null;
	const right = (products: readonly number[], slope: number, constant: number): boolean =>
		(tolerance > 0 || (Number.isInteger(slope) && Number.isInteger(constant))) &&
		values.every((value, k) => Math.abs(slope * (products[k] as number) + constant - value) <= tolerance * Math.abs(value));
	const choices = exponentsOf(samples[0]?.length ?? 0).map((exponents) => ({
		exponents,
		products: samples.map((sizes) => product(sizes, exponents)),
	}));
	for (const { exponents, products } of choices) {
		const slope = snapped(first / (products[0] as number), tolerance);
		if (right(products, slope, 0)) return { exponents, slope, constant: 0 };
	}
	for (const { exponents, products } of choices) {
		const slope = snapped((second - first) / ((products[1] as number) - (products[0] as number)), tolerance);
		const constant = snapped(first - slope * (products[0] as number), tolerance);
		if (right(products, slope, constant)) return { exponents, slope, constant };
	}
	return null;
}
