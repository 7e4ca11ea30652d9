import { adaptedMatrices, type CustomConfig, type ModelParameter, ProblemError } from '@steelyard/contracts';
import { type Graph, graphsWithin, type Node, readAttributes, renamedNode } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { type Tensor, tensor } from '@steelyard/runtime';
import type { ChosenParameter } from './choose-parameters.js';

/**
 * A low-rank update of a matrix W (Hu et al. 2022, "LoRA: Low-rank adaptation of large language models"): the graph reads W + (α/r)·A·B in the place of W, or the
 * transpose of the product where W is stored as `[out, in]`. A `[in, r]` begins as PyTorch begins a linear layer, B `[r, out]` as zeros.
 */
export type Adapter = {
	/** The initializer W. */
	readonly matrix: string;
	readonly a: ChosenParameter;
	readonly b: ChosenParameter;
	readonly transposed: boolean;
	/** α/r. */
	readonly scale: number;
};

/** Whether W is stored as `[out, in]`, by the first product that reads it; null where none does. */
function isTransposed(nodes: readonly Node[], value: string): boolean | null {
	for (const node of nodes) {
		const place = node.inputs.indexOf(value);
		if (place < 0) continue;
		if (node.op === 'MatMul') return place === 0;
		if (node.op === 'Gemm' && place < 2) return (readAttributes(node).int(place === 0 ? 'transA' : 'transB', 0) === 1) === (place === 1);
		if (node.op !== 'Transpose' && node.op !== 'Identity') continue;
		const found = isTransposed(nodes, node.outputs[0] as string);
		if (found !== null) return node.op === 'Transpose' ? !found : found;
	}
	return null;
}

/** The adapters of the matrices that `lora` names and a MatMul or Gemm reads, in the order of the model. Throws ProblemError where there are none. */
export function adaptersOf(config: CustomConfig, graph: Graph, parameters: readonly ModelParameter[]): Adapter[] {
	const { lora } = config;
	if (lora === undefined) return [];
	const nodes = [...graphsWithin(graph)].flatMap((one) => one.nodes);
	const matrices = adaptedMatrices(config, parameters);
	const adapters = matrices.flatMap(({ name, shape }): Adapter[] => {
		const transposed = isTransposed(nodes, name);
		if (transposed === null) return [];
		const [rows, columns] = shape as [number, number];
		const part = (letter: string, of: number[]): ChosenParameter => {
			const own = `${name}.lora_${letter}`;
			return { name: own, initializer: `steelyard/${own}`, shape: of };
		};
		return [
			{
				matrix: name,
				a: part('A', [transposed ? columns : rows, lora.rank]),
				b: part('B', [lora.rank, transposed ? rows : columns]),
				transposed,
				scale: (lora.alpha ?? lora.rank) / lora.rank,
			},
		];
	});
	if (adapters.length === 0)
		throw new ProblemError(
			'invalid_model',
			`No MatMul or Gemm of the model reads "${matrices[0]?.name}"; model.lora adapts the matrices of these alone`,
			'model.lora.match',
		);
	return adapters;
}

/** The graph with adapters whose parts are initializers of zeros. */
export function withAdapters(graph: Graph, adapters: readonly Adapter[]): Graph {
	const initializers = new Map(graph.initializers);
	const replacement = new Map<string, string>();
	const nodes = adapters.flatMap(({ matrix, a, b, transposed, scale }): Node[] => {
		for (const { initializer, shape } of [a, b])
			initializers.set(initializer, tensor('float32', shape, new Float32Array(shape.reduce((size, dim) => size * dim, 1))));
		const name = (part: string): string => `steelyard/lora/${part}/${matrix}`;
		const node = (op: string, inputs: string[], output: string): Node => ({ name: output, op, inputs, outputs: [output], attributes: {} });
		initializers.set(name('scale'), tensor('float32', [], [scale]));
		replacement.set(matrix, name('adapted'));
		const product = transposed ? name('transposed') : name('product');
		return [
			node('MatMul', [a.initializer, b.initializer], name('product')),
			...(transposed ? [node('Transpose', [name('product')], product)] : []),
			node('Mul', [product, name('scale')], name('update')),
			node('Add', [matrix, name('update')], name('adapted')),
		];
	});
	const replaced = (value: string): string => replacement.get(value) ?? value;
	return { ...graph, initializers, nodes: [...nodes, ...graph.nodes.map((node) => renamedNode(node, replaced))] };
}

/** What A and B of each adapter begin with, by the names of the parameters: uniform within ±1/√in, and zeros. */
export function initialAdapters(adapters: readonly Adapter[], seed: number, stream: number): Map<string, Float32Array> {
	const random = counterRandom(seed, `lora/${stream}`);
	const zeros = ({ shape: [rows, columns] }: ChosenParameter) => new Float32Array((rows as number) * (columns as number));
	return new Map(
		adapters.flatMap(({ a, b }) => [
			[a.name, zeros(a).map(() => (2 * random.uniform() - 1) / Math.sqrt(a.shape[0] as number))],
			[b.name, zeros(b)],
		]),
	);
}

/** W + (α/r)·A·B, summed in float64; `numbers` are those of A and B by initializer. */
export function merged({ a, b, transposed, scale }: Adapter, matrix: Tensor, numbers: ReadonlyMap<string, Tensor>): Tensor {
	const [A, B] = [a, b].map(({ initializer }) => numbers.get(initializer)?.data as Float32Array) as [Float32Array, Float32Array];
	const [rank, outputs] = b.shape as [number, number];
	const columns = matrix.shape[1] as number;
	const data = Float32Array.from(matrix.data as Float32Array, (value, at) => {
		const [row, column] = [Math.floor(at / columns), at % columns];
		const [input, output] = transposed ? [column, row] : [row, column];
		let sum = 0;
		for (let k = 0; k < rank; k++) sum += (A[input * rank + k] as number) * (B[k * outputs + output] as number);
		return value + scale * sum;
	});
	return { dtype: 'float32', shape: matrix.shape, data };
}
