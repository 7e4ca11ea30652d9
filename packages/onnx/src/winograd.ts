import { readAttributes } from './attributes.js';
import { GraphBuilder } from './builder.js';
import { allValues, type Graph, type Node, type Value } from './graph.js';
import { renamed } from './rename.js';

/** The side of the square of results that are computed together, and that of the square of x that they need. */
const [STEP, SIDE] = [4, 6];

/**
 * F(4, 3): four neighbouring results of a convolution with a kernel w of three numbers, from six numbers x by six multiplications instead of twelve:
 * OUTPUT·((KERNEL·w) ⊙ (INPUT·x)). In two dimensions each matrix is applied along both axes. Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016.
 */
const INPUT = [
	[4, 0, -5, 0, 1, 0],
	[0, -4, -4, 1, 1, 0],
	[0, 4, -4, -1, 1, 0],
	[0, -2, -1, 2, 1, 0],
	[0, 2, -1, -2, 1, 0],
	[0, 4, 0, -5, 0, 1],
];
const KERNEL = [
	[1 / 4, 0, 0],
	[-1 / 6, -1 / 6, -1 / 6],
	[-1 / 6, 1 / 6, -1 / 6],
	[1 / 24, 1 / 12, 1 / 6],
	[1 / 24, -1 / 12, 1 / 6],
	[0, 0, 1],
];
const OUTPUT = [
	[1, 1, 1, 1, 1, 0],
	[0, 1, -1, 2, -2, 0],
	[0, 1, 1, 4, 4, 0],
	[0, 1, -1, 8, -8, 1],
];

/** A convolution with kernels of 3×3, stride 1 and one group, of x `[batch, from, …]` whose results are `[batch, to, height, width]`. */
type Sizes = { readonly batch: number; readonly from: number; readonly to: number; readonly height: number; readonly width: number };

/** How many tiles of results there are, downwards and across. */
const tilesOf = ({ height, width }: Sizes): [number, number] => [Math.ceil(height / STEP), Math.ceil(width / STEP)];

/**
 * About how long a training step takes by products of tiles, with its gradients, as a share of the time that it takes by Conv. A fifth are the products themselves, of
 * which there are a quarter. Changing the form of x and of the results costs the more, the fewer channels share it, and that of the kernel the more, the fewer tiles
 * do; tiles may reach beyond the results. Fitted to 15 shapes on one thread of the CPU.
 */
function shareOfTime(sizes: Sizes): number {
	const [down, across] = tilesOf(sizes);
	const beyond = (down * across * STEP ** 2) / (sizes.height * sizes.width);
	const channels = 2 / (1 / sizes.from + 1 / sizes.to);
	return beyond * (0.2 + 14 / channels + 16 / (down * across * sizes.batch));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The product of the matrix that applies `matrix` along both axes of a square, whose numbers stand in the first axis of `value`. */
function alongBoth(g: GraphBuilder, matrix: readonly (readonly number[])[], value: Value): Value {
	const both = matrix.flatMap((a) => matrix.map((b) => a.flatMap((x) => b.map((y) => x * y))));
	return g.gemm(g.constant('float32', [both.length, (both[0] as number[]).length], both.flat()), value);
}

/** [batch, channels, height, width] as [height·width, batch·channels]: whole rows move where places are read or written. */
const placesFirst = (g: GraphBuilder, x: Value, [batch, channels, height, width]: readonly [number, number, number, number]): Value =>
	g.transpose(g.reshape(x, [batch * channels, height * width]), [1, 0]);

/** The rows of `x` `[rows, n]` of these numbers. */
const rowsOf = (g: GraphBuilder, x: Value, rows: readonly number[]): Value =>
	g.op('Gather', [x, g.ints(rows)], { axis: 0 }, { shape: [rows.length, x.shape[1] as number] });

/** The nodes of the convolution. `pads` are those before the first row and column. */
function convolution(g: GraphBuilder, [x, kernel, bias]: Value[], sizes: Sizes, [top, left]: readonly [number, number]): Value {
	const { batch, from, to, height, width } = sizes;
	const [down, across] = tilesOf(sizes);
	const tiles = down * across;
	const [, , rows, columns] = (x as Value).shape as [number, number, number, number];
	const [allRows, allColumns] = [down, across].map((count) => (count - 1) * STEP + SIDE) as [number, number];
	const padded = g.op(
		'Pad',
		[
			g.reshape(placesFirst(g, x as Value, [batch, from, rows, columns]), [rows, columns, batch * from]),
			g.ints([top, left, 0, allRows - top - rows, allColumns - left - columns, 0]),
		],
		{},
		{ shape: [allRows, allColumns, batch * from] },
	);
	const read = upTo(SIDE).flatMap((i) =>
		upTo(SIDE).flatMap((j) => upTo(down).flatMap((row) => upTo(across).map((column) => (row * STEP + i) * allColumns + column * STEP + j))),
	);
	const ofX = alongBoth(
		g,
		INPUT,
		g.reshape(rowsOf(g, g.reshape(padded, [allRows * allColumns, batch * from]), read), [SIDE ** 2, tiles * batch * from]),
	);
	const byChannel = g.reshape(g.transpose(g.reshape(kernel as Value, [to, from * 9]), [1, 0]), [from, 9, to]);
	const ofKernel = alongBoth(g, KERNEL, g.reshape(g.transpose(byChannel, [1, 0, 2]), [9, from * to]));
	const products = g.matMul(g.reshape(ofX, [SIDE ** 2, tiles * batch, from]), g.reshape(ofKernel, [SIDE ** 2, from, to]));
	const results = g.reshape(alongBoth(g, OUTPUT, g.reshape(products, [SIDE ** 2, tiles * batch * to])), [STEP ** 2 * tiles, batch * to]);
	const written = upTo(height).flatMap((i) =>
		upTo(width).map((j) => {
			const inTile = (i % STEP) * STEP + (j % STEP);
			return (inTile * down + Math.floor(i / STEP)) * across + Math.floor(j / STEP);
		}),
	);
	const y = g.reshape(g.transpose(rowsOf(g, results, written), [1, 0]), [batch, to, height, width]);
	return bias ? g.add(y, g.reshape(bias, [to, 1, 1])) : y;
}

/** The sizes of a node that is such a convolution; null for any other. */
function sizesOf(node: Node, values: ReadonlyMap<string, Value>): Sizes | null {
	const [x, kernel, y] = [node.inputs[0], node.inputs[1], node.outputs[0]].map((name) => values.get(name ?? ''));
	if (node.op !== 'Conv' || !x || !kernel || !y || x.dtype !== 'float32') return null;
	if (![...x.shape, ...kernel.shape, ...y.shape].every((dim) => typeof dim === 'number')) return null;
	const { int, ints, text } = readAttributes(node);
	const [to, from, ...places] = kernel.shape as number[];
	const plain = [...(ints('strides') ?? []), ...(ints('dilations') ?? []), int('group', 1)].every((value) => value === 1);
	if (!plain || places.join() !== '3,3' || text('auto_pad', 'NOTSET') !== 'NOTSET') return null;
	const [batch, , height, width] = y.shape as [number, number, number, number];
	return { batch, from: from as number, to: to as number, height, width };
}

/**
 * The graph with products of tiles in the place of convolutions of float32 with kernels of 3×3, stride 1 and one group, where that takes less time on the CPU, forwards
 * and back. The results and gradients differ from those of Conv by about 1e-5 of the greatest. It takes more memory: for gradients, the products keep 2¼ times the numbers of x.
 */
export function winogradConvolutions(graph: Graph): Graph {
	const values = allValues(graph);
	const initializers = new Map(graph.initializers);
	const added = new Map(graph.values);
	const nodes = graph.nodes.flatMap((node): readonly Node[] => {
		const sizes = sizesOf(node, values);
		if (sizes === null || shareOfTime(sizes) > WORTHWHILE) return [node];
		const g = new GraphBuilder(`${node.outputs[0]}/tiles/`);
		const inputs = node.inputs.map((name) => values.get(name) as Value);
		const [top = 0, left = 0] = readAttributes(node).ints('pads') ?? [];
		const result = convolution(g, inputs, sizes, [top, left]);
		const built = renamed(g.build(node.name), (name) => (name === result.name ? (node.outputs[0] as string) : name));
		for (const [name, tensor] of built.initializers) initializers.set(name, tensor);
		for (const [name, value] of built.values) added.set(name, value);
		return built.nodes;
	});
	return { ...graph, nodes, initializers, values: added };
}

/** The most of the time of Conv that products of tiles may take, to be worth their memory. */
const WORTHWHILE = 0.95;
