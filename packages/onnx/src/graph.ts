import type { DType, Tensor } from '@steelyard/runtime';
import type { ExporterLabel } from './exporter-labels.js';
import type { Half } from './halves.js';

/** One dimension: a size, or the name of a symbolic one. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A value of a graph: its name, element type and shape. */
export type Value = {
	readonly name: string;
	readonly dtype: DType;
	readonly shape: Shape;
	/** Set where a model gives no type for an output: `dtype` and `shape` mean nothing then, until `canonicalise` has inferred them. */
	readonly untyped?: true;
};

export type Attribute =
	| { readonly type: 'int'; readonly value: number }
	| { readonly type: 'float'; readonly value: number }
	| { readonly type: 'string'; readonly value: string }
	| { readonly type: 'tensor'; readonly value: Tensor }
	| { readonly type: 'graph'; readonly value: Graph }
	| { readonly type: 'ints'; readonly value: readonly number[] }
	| { readonly type: 'floats'; readonly value: readonly number[] }
	| { readonly type: 'strings'; readonly value: readonly string[] };

export type Node = {
	readonly name: string;
	/** The operator; one of another domain than the standard one as `domain.Operator`, such as com.microsoft.FusedMatMul. */
	readonly op: string;
	/** The names of values; '' stands for an optional input that is left out. */
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
	readonly attributes: Readonly<Record<string, Attribute>>;
};

/** An ONNX graph as plain data, nodes in topological order. */
export type Graph = {
	readonly name: string;
	readonly nodes: readonly Node[];
	readonly inputs: readonly Value[];
	readonly outputs: readonly Value[];
	readonly initializers: ReadonlyMap<string, Tensor>;
	/** The known types of the values that nodes give; those of all after `canonicalise`. */
	readonly values: ReadonlyMap<string, Value>;
};

export type Model = {
	readonly graph: Graph;
	/** Version of the file format, of a model that was read. */
	readonly irVersion?: number;
	/** Version of the standard operator set. */
	readonly opset: number;
	/** The version that the file says, where it is older than `opset`, to which the model was upgraded as it was read. */
	readonly fileOpset?: number;
	/** The initializers, inputs and outputs that were brought to float32 as the model was read, with the type that they have in the file. */
	readonly halves?: ReadonlyMap<string, Half>;
	/** The initializers that are Constant nodes in the file. */
	readonly constantWeights?: ReadonlySet<string>;
	/** `metadata_props`. */
	readonly metadata?: Readonly<Record<string, string>>;
	/** What the exporter says that initializers are, by name, where it says so. */
	readonly labels?: ReadonlyMap<string, ExporterLabel>;
};

/** The working operator set, in which all our graphs are written: older runtimes load it, and the CUDA and WebGPU providers of ONNX Runtime have kernels for its forms. */
export const OPSET = 18;

export type GraphErrorCode = 'malformed_model' | 'unsupported_model' | 'unknown_shape' | 'unsupported_operator';

/** What is wrong with a graph, and at which node or value. */
export class GraphError extends Error {
	override readonly name = 'GraphError';
	readonly code: GraphErrorCode;
	/** The node or value that the message is about. */
	readonly where: string | null;

	constructor(code: GraphErrorCode, message: string, where: string | null = null) {
		super(message);
		this.code = code;
		this.where = where;
	}
}

/** Every value of a graph by name: inputs, initializers and node outputs as far as they are known. */
export function allValues(graph: Graph): Map<string, Value> {
	const values = new Map<string, Value>(graph.values);
	for (const [name, { dtype, shape }] of graph.initializers) values.set(name, { name, dtype, shape });
	for (const input of graph.inputs) values.set(input.name, input);
	return values;
}

/** The shape as numbers. Throws GraphError `unknown_shape` when a dimension is symbolic. */
export function staticShape(value: Value): number[] {
	return value.shape.map((dim) => {
		if (typeof dim === 'number') return dim;
		throw new GraphError('unknown_shape', `value "${value.name}" has the symbolic dimension "${dim}", expected a size`, value.name);
	});
}

/** An axis counted from 0; a negative one counts from the end of `rank` axes. */
export const positiveAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
