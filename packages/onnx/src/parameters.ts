import { type DType, sizeOf, type Tensor } from '@steelyard/runtime';
import { type FlatNode, flatNodes } from './flat-nodes.js';
import type { Model } from './graph.js';
import { isView, type Use, useOf } from './parameter-uses.js';
import { type Pattern, patternOf } from './pattern.js';

/** An initializer of a floating type, and whether training may change it. */
export type Parameter = {
	readonly name: string;
	readonly dtype: DType;
	readonly shape: readonly number[];
	readonly trainable: boolean;
	/** Why it is trainable or not, in words for the reader of a report. */
	readonly reason: string;
};

type Verdict = { readonly trainable: boolean; readonly reason: string };
/** Where a value is used in the end: as input `place` of `node`. `computed` says that arithmetic among constants lies between. */
type End = { readonly node: FlatNode; readonly place: number; readonly computed: boolean };

const FLOATING: ReadonlySet<DType> = new Set<DType>(['float16', 'float32', 'float64']);

export const isFloating = (dtype: DType): boolean => FLOATING.has(dtype);

const RANDOM = /^(Random|Bernoulli|Multinomial)/;
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'Einsum']);

/** The names that exporters make up: `val_7` and names of torch functions (torch.export), `onnx::MatMul_123` and `/layer/Constant_output_0` (TorchScript). */
const MADE_UP =
	/^(val_\d+|(onnx)?::|onnx::|\/|.*lifted_tensor|(scalar_tensor|new_|zeros|ones|full|empty|arange|linspace|expand|permute|clone)\w*$|const(ant)?(_|$|\b))/i;
/** A path of attributes, as PyTorch names parameters and buffers: `encoder.0.weight`. */
const PATH = /^[A-Za-z_]\w*(\.\w+)+$/;
/** The names of buffers that modules keep beside their parameters, by the last part of the path. */
const BUFFER = /(^|[._])(running_mean|running_var|pos_weight|class_weights?|inv_freq|mask|causal|pixel_mean|pixel_std|mean|std)$/;

/** What a report says of a tensor of that pattern. */
const descriptions: Readonly<Record<Pattern, string>> = {
	uniform: 'all its numbers are equal and its name is made up by the exporter',
	'additive mask': 'a mask: only 0 and large negative numbers',
	'binary mask': 'a mask: only 0 and 1',
	sinusoids: 'a table of sines and cosines of the position',
	ramp: 'evenly spaced numbers',
};

/** Which nodes read and which node makes each value, and which values depend on data. */
class Uses {
	readonly #readers = new Map<string, { node: FlatNode; place: number }[]>();
	readonly #makers = new Map<string, FlatNode>();
	readonly #data: Set<string>;
	readonly #inputs: ReadonlySet<string>;

	constructor(nodes: readonly FlatNode[], inputs: readonly string[]) {
		this.#inputs = new Set(inputs);
		this.#data = new Set(inputs);
		for (const node of nodes) {
			node.inputs.forEach((name, place) => {
				const readers = this.#readers.get(name);
				if (readers === undefined) this.#readers.set(name, [{ node, place }]);
				else readers.push({ node, place });
			});
			for (const output of node.outputs) this.#makers.set(output, node);
			// a size does not depend on the numbers of the data; what enters the body of a loop may change there
			const dataless = node.op === 'Shape' || node.op === 'Size';
			if (node.op === 'Carry' || RANDOM.test(node.op) || (!dataless && node.inputs.some((name) => this.#data.has(name))))
				for (const output of node.outputs) this.#data.add(output);
		}
	}

	/** Where `name` is used in the end, behind views and behind arithmetic that no data enters. */
	ends(name: string): End[] {
		const ends: End[] = [];
		const seen = new Set([name]);
		const waiting = [{ value: name, computed: false }];
		for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
			const { value, computed } = at;
			const follow = (node: FlatNode, by: boolean): void => {
				for (const output of node.outputs)
					if (output !== '' && !seen.has(output)) {
						seen.add(output);
						waiting.push({ value: output, computed: computed || by });
					}
			};
			for (const { node, place } of this.#readers.get(value) ?? []) {
				const joined = node.op === 'Concat' || node.op === 'Gather';
				if (isView(node.op, place)) follow(node, false);
				else if (this.#isConstant(node) && useOf(node.op, place).kind !== 'constant') follow(node, !joined);
				else if (this.#isConstant(node) && useOf(node.op, place).what === 'operand' && !/^(Sin|Cos|Shape|Size)$/.test(node.op))
					follow(node, true);
				else ends.push({ node, place, computed });
			}
		}
		return ends;
	}

	#isConstant(node: FlatNode): boolean {
		return node.op !== 'Carry' && !node.inputs.some((name) => this.#data.has(name));
	}

	/** The node that `name` comes from, before any views. */
	#source(name: string): FlatNode | undefined {
		let node = this.#makers.get(name);
		for (let steps = 0; node !== undefined && isView(node.op, 0) && steps < 1000; steps++)
			node = this.#makers.get(node.inputs[0] as string);
		return node;
	}

	/** Whether the other input of an Add is a product with weights, so that the value is its bias. */
	isBias({ node, place }: End): boolean {
		const other = node.op === 'Add' ? this.#source(node.inputs[1 - place] as string) : undefined;
		return other !== undefined && PRODUCTS.has(other.op);
	}

	/** Whether a Sub or Div shifts or scales the data as they come in, or a Mul scales them after such a shift: (x − mean)/deviation, (x − mean)·(1/deviation). */
	normalisesInput({ node, place }: End): boolean {
		if (node.op === 'Mul') return this.#wayFromInput(node.inputs[1 - place] as string) === 'shifted';
		return place === 1 && (node.op === 'Sub' || node.op === 'Div') && this.#wayFromInput(node.inputs[0] as string) !== null;
	}

	/** How a value comes from an input of the graph through views, Sub and Div by constants alone: whether a Sub is among them; null for every other value. */
	#wayFromInput(value: string): 'unshifted' | 'shifted' | null {
		let [name, way]: [string, 'unshifted' | 'shifted'] = [value, 'unshifted'];
		for (let steps = 0; steps < 1000; steps++) {
			if (this.#inputs.has(name)) return way;
			const maker = this.#makers.get(name);
			if (maker === undefined) return null;
			const normalises = (maker.op === 'Sub' || maker.op === 'Div') && !this.#data.has(maker.inputs[1] as string);
			if (!normalises && !isView(maker.op, 0)) return null;
			if (maker.op === 'Sub') way = 'shifted';
			name = maker.inputs[0] as string;
		}
		return null;
	}
}

const no = (reason: string): Verdict => ({ trainable: false, reason });
const yes = (reason: string): Verdict => ({ trainable: true, reason });

/** What one use of an initializer proves about it. */
function verdictOf(name: string, tensor: Tensor, pattern: Pattern | null, end: End, uses: Uses): Verdict {
	const { node, place, computed } = end;
	const use: Use = useOf(node.op, place);
	const size = sizeOf(tensor.shape);
	const at = `${use.what} of ${node.op} "${node.name}"`;
	if (use.kind === 'constant') return no(at);
	if (use.what.startsWith('initial') && pattern === 'uniform') return no(`${at}, the same number everywhere`);
	if (pattern === 'uniform' && (MADE_UP.test(name) || use.what === 'values before the writing')) return no(descriptions.uniform);
	const product = use.kind === 'parameter';
	if (pattern === 'additive mask' || pattern === 'sinusoids') return no(descriptions[pattern]);
	if ((pattern === 'binary mask' || pattern === 'ramp') && (!product || computed || MADE_UP.test(name))) return no(descriptions[pattern]);
	if (size === 1 && (computed || !product)) return oneNumber(name, tensor, end, uses, at);
	if (!product && BUFFER.test(name)) return no(`${at}; by its name a buffer`);
	if (!product && uses.normalisesInput(end) && tensor.shape.filter((dim) => dim > 1).length <= 1)
		return no(`${at}, which normalises an input`);
	return yes(computed ? `part of the ${at}` : uses.isBias(end) ? `bias, added by ${node.op} "${node.name}" to a product with weights` : at);
}

/**
 * A single number is a constant of a formula. It is a parameter where a layer of one output has its bias, where its name is one that PyTorch gives to what a module
 * holds, and where it goes through a function first, as learned temperatures do.
 */
function oneNumber(name: string, tensor: Tensor, end: End, uses: Uses, at: string): Verdict {
	if (tensor.shape.length > 0 && !end.computed && uses.isBias(end))
		return yes(`bias, added by Add "${end.node.name}" to a product with weights`);
	if (PATH.test(name) && !MADE_UP.test(name) && !BUFFER.test(name)) return yes(`a number that a module holds by the name "${name}": ${at}`);
	// an exporter folds what it computes of constants
	if (end.computed && !MADE_UP.test(name) && !BUFFER.test(name)) return yes(`a number that a function turns into a ${at}`);
	return no(`one number: ${at}`);
}

function judged(name: string, tensor: Tensor, uses: Uses): Verdict {
	const ends = uses.ends(name);
	if (ends.length === 0) return no('no node that reads data uses it');
	const pattern = patternOf(tensor);
	const verdicts = ends.map((end) => verdictOf(name, tensor, pattern, end, uses));
	const trained = verdicts.find(({ trainable }) => trainable);
	if (trained === undefined) return verdicts[0] as Verdict;
	// the weights are tied on purpose, or an exporter merged equal numbers: the reader of the report knows which
	const others = new Set(ends.map(({ node }) => node)).size - 1;
	return others === 0 ? trained : yes(`${trained.reason}; ${others} more ${others === 1 ? 'node uses' : 'nodes use'} it`);
}

/**
 * Every initializer of a floating type in the main graph, in order, with whether it is a parameter. Its use decides that: the use is followed through views
 * (Transpose, Reshape, Expand …), through arithmetic that no data enters, and into the bodies of Loop, Scan and If. Its name and its numbers decide what the use
 * leaves open: a mask and a table of sines are added just as learned positions are.
 */
export function parametersOf({ graph, constantWeights = new Set() }: Model): Parameter[] {
	const uses = new Uses(
		flatNodes(graph),
		graph.inputs.map(({ name }) => name),
	);
	const parameters = [...graph.initializers].flatMap(([name, tensor]): Parameter[] => {
		if (!isFloating(tensor.dtype)) return [];
		return [{ name, dtype: tensor.dtype, shape: tensor.shape, ...judged(name, tensor, uses) }];
	});
	// an exporter that writes its parameters as initializers writes the numbers of formulas as Constant nodes
	const fromConstant = ({ name }: Parameter): boolean => constantWeights.has(name);
	if (!parameters.some((one) => one.trainable && !fromConstant(one))) return parameters;
	return parameters.map((one) =>
		fromConstant(one) && one.trainable
			? { ...one, ...no(`${one.reason}, but a Constant node, where other weights of the model are initializers`) }
			: one,
	);
}
