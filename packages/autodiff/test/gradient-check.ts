import { canonicalise, encodeModel, type Graph, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { createSession, type DType, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { differentiate } from '../src/index.js';

/** One use of an operator: inputs by shape (with the range of their numbers), and how to build it. */
export type Case = {
	shapes: number[][];
	build: (g: GraphBuilder, inputs: Value[]) => Value;
	/** Range of the random inputs; away from kinks and poles. Default [-2, 2]. */
	range?: [number, number];
	/** float32 where ORT has no float64 kernel. */
	dtype?: 'float32' | 'float64';
	/** The operator set of the model; the working one unless given. */
	opset?: number;
	/** Numbers of an input instead of random ones, such as zeros and ties. */
	data?: (number[] | undefined)[];
	/** The function whose derivative the rule gives, where it is not that of the operator: rounding is differentiated as if it were not there. */
	surrogate?: Case['build'];
	/** false where the runtime would rewrite the operator, or cannot tell the shape of its output, before its rule is asked. Default true. */
	canonical?: boolean;
};

/** Uniform numbers over [0, 1). */
export const uniformNumbers = (seed: number): (() => number) => counterRandom(seed, 'test').uniform;

const run = async (graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
};

/**
 * The largest error of the rule's gradients of Σ r·y (r random) against central differences, relative to 1e-4·|g| + 1e-6 (float64), or of one random
 * directional derivative relative to 2e-3·(1 + |g|) (float32); or of a gradient that is asked for alone against the same among all; or of Σ r·y itself, as its
 * canonical form gives it, against that of the operator. Right when at most 1.
 */
export async function gradientError(
	{ shapes, build, range = [-2, 2], dtype = 'float64', opset = OPSET, data = [], surrogate, canonical = true }: Case,
	seed: number,
): Promise<number> {
	const next = uniformNumbers(seed);
	const draw = (type: DType, shape: number[], [low, high]: [number, number]): Tensor =>
		tensor(
			type,
			shape,
			Array.from({ length: sizeOf(shape) }, () => low + (high - low) * next()),
		);
	const feeds: Record<string, Tensor> = Object.fromEntries(
		shapes.map((shape, i) => [`x${i}`, data[i] ? tensor(dtype, shape, data[i]) : draw(dtype, shape, range)]),
	);

	const names = Object.keys(feeds);
	let r: Tensor | null = null;
	const modelOf = (of: Case['build']) => {
		const g = new GraphBuilder();
		const y = of(
			g,
			shapes.map((shape, i) => g.input(`x${i}`, dtype, shape)),
		);
		r ??= draw(y.dtype, y.shape as number[], [-1, 1]);
		g.output('loss', g.sumAll(g.mul(y, g.initializer('r', r))));
		return { graph: g.build('case'), opset };
	};
	const model = modelOf(build);
	const whole = canonical ? await canonicalise(model) : model.graph;
	const gradientsOf = async (wrt: readonly string[]): Promise<Record<string, Tensor>> => {
		const { graph, gradients } = differentiate(whole, { loss: 'loss', wrt });
		const backward = GraphBuilder.from(graph, 'test/');
		backward.output('forward', backward.value('loss'));
		for (const name of wrt) backward.output(`d_${name}`, gradients.get(name) as Value);
		return run(backward.build('backward'), feeds);
	};
	const analytic = await gradientsOf(names);
	let worst = 0;
	// an input that is asked for alone has the gradient that it has beside the others, but for rounding
	const [relative, absolute] = dtype === 'float64' ? [1e-4, 1e-6] : [1e-3, 1e-4];
	if (names.length > 1)
		for (const name of names) {
			const alone = (await gradientsOf([name]))[`d_${name}`] as Tensor;
			const beside = (analytic[`d_${name}`] as Tensor).data;
			alone.data.forEach((value, i) => {
				worst = Math.max(worst, Math.abs(Number(value) - Number(beside[i])) / (relative * Math.abs(Number(beside[i])) + absolute));
			});
		}

	const session = await createSession(encodeModel(modelOf(surrogate ?? build)));
	const lossAt = async (changed: Record<string, Tensor>): Promise<number> =>
		Number(((await session.run({ ...feeds, ...changed }))['loss'] as Tensor).data[0]);
	// the canonical form gives the value that the operator itself gives
	const [before, after] = [await lossAt({}), Number((analytic['forward'] as Tensor).data[0])];
	if (surrogate === undefined) worst = Math.max(worst, Math.abs(after - before) / (relative * (1 + Math.abs(before))));
	if (dtype === 'float64') {
		const h = 1e-5;
		for (const name of names) {
			const { shape, data } = feeds[name] as Tensor;
			const gradient = (analytic[`d_${name}`] as Tensor).data;
			for (let i = 0; i < data.length; i++) {
				const moved = async (by: number) =>
					lossAt({
						[name]: tensor(
							dtype,
							shape,
							Float64Array.from(data as Float64Array, (v, j) => (j === i ? v + by : v)),
						),
					});
				const numeric = ((await moved(h)) - (await moved(-h))) / (2 * h);
				worst = Math.max(worst, Math.abs(numeric - Number(gradient[i])) / (1e-4 * Math.abs(numeric) + 1e-6));
			}
		}
	} else {
		const h = 1e-2;
		const direction = Object.fromEntries(
			names.map((name) => [name, draw('float32', (feeds[name] as Tensor).shape as number[], [-1, 1]).data as Float32Array]),
		);
		const moved = (by: number) =>
			lossAt(
				Object.fromEntries(
					names.map((name) => {
						const { shape, data } = feeds[name] as Tensor;
						return [
							name,
							tensor(
								'float32',
								shape,
								Float32Array.from(data as Float32Array, (v, i) => v + by * (direction[name]?.[i] as number)),
							),
						];
					}),
				),
			);
		const numeric = ((await moved(h)) - (await moved(-h))) / (2 * h);
		const exact = names.reduce(
			(sum, name) =>
				sum + (direction[name] as Float32Array).reduce((part, d, i) => part + d * Number((analytic[`d_${name}`] as Tensor).data[i]), 0),
			0,
		);
		worst = Math.max(worst, Math.abs(numeric - exact) / (2e-3 * (1 + Math.abs(exact))));
	}
	await session.release();
	return worst;
}
