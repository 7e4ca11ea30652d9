import { type DType, sizeOf, type Tensor } from '@steelyard/runtime';
import type { ExporterLabel } from './exporter-labels.js';
import { type FlatNode, flatNodes } from './flat-nodes.js';
import type { Model } from './graph.js';
import { isView, type Use, useOf } from './parameter-uses.js';
import { type Pattern, patternOf } from './pattern.js';
import { PRODUCTS } from './products.js';

/** An initializer of a floating type, and whether training may change it. */
export type Parameter = {
	readonly name: string;
	readonly dtype: DType;
	readonly shape: readonly number[];
	readonly kind: ParameterKind;
	/** Whether training changes it, as it does parameters. */
	readonly trainable: boolean;
	/** Why it is of that kind, in words for the reader of a report. */
	readonly reason: string;
};

/** A parameter is trained; a buffer is a number that a module keeps beside its parameters, a statistic one that norms measure, a constant one of a formula. */
export type ParameterKind = 'parameter' | 'buffer' | 'constant' | 'statistic';

type Verdict = { readonly kind: ParameterKind; readonly reason: string };
/** Where a value is used in the end: as input `place` of `node`. `computed` says that arithmetic among constants lies between. */
type End = { readonly node: FlatNode; readonly place: number; readonly computed: boolean };

const FLOATING: ReadonlySet<DType> = new Set<DType>(['float16', 'float32', 'float64']);

export const isFloating = (dtype: DType): boolean => FLOATING.has(dtype);

const RANDOM = /^(Random|Bernoulli|Multinomial)/;

/** The names that exporters make up: `val_7` and names of torch functions (torch.export), `onnx::MatMul_123` and `/layer/Constant_output_0` (TorchScript). */
const MADE_UP =
	/^(val_\d+|(onnx)?::|onnx::|\/|.*lifted_tensor|(scalar_tensor|new_|zeros|ones|full|empty|arange|linspace|expand|permute|clone)\w*$|const(ant)?(_|$|\b))/i;
/** A path of attributes, as PyTorch names parameters and buffers: `encoder.0.weight`. */
const PATH = /^[A-Za-z_]\w*(\.\w+)+$/;
/** The names of buffers that modules keep beside their parameters, by the last part of the path. */
const BUFFER =
	/(^|[._])(running_mean|running_var|pos_weight|class_weights?|(original_)?inv_freq|(cos|sin)(_cached|_cache)?|freqs_cis|pos_embed_cached|relative_coords_table|(attn_)?mask|causal|pixel_mean|pixel_std|mean|std|embed_scale|final_logits_bias|masked_bias)$/;

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

const no = (reason: string, kind: 'constant' | 'buffer' | 'statistic' = 'constant'): Verdict => ({ kind, reason });
const yes = (reason: string): Verdict => ({ kind: 'parameter', reason });

/** What one use of an initializer proves about it. */
function verdictOf(name: string, tensor: Tensor, pattern: Pattern | null, end: End, uses: Uses): Verdict {
	const { node, place, computed } = end;
	const use: Use = useOf(node.op, place);
	const size = sizeOf(tensor.shape);
	const at = `${use.what} of ${node.op} "${node.name}"`;
	if (use.kind === 'constant') return no(at, use.what.startsWith('running') ? 'statistic' : 'constant');
	if (use.what.startsWith('initial') && pattern === 'uniform') return no(`${at}, the same number everywhere`);
	if (pattern === 'uniform' && (MADE_UP.test(name) || use.what === 'values before the writing')) return no(descriptions.uniform);
	const product = use.kind === 'parameter';
	if (pattern === 'additive mask' || pattern === 'sinusoids') return no(descriptions[pattern]);
	if ((pattern === 'binary mask' || pattern === 'ramp') && (!product || computed || MADE_UP.test(name))) return no(descriptions[pattern]);
	// a scalar that is the operand of a product was expanded, as a state is with which a recurrence begins
	if (size === 1 && (computed || !product || tensor.shape.length === 0)) return oneNumber(name, tensor, end, uses, at);
	if (!product && BUFFER.test(name)) return no(`${at}; by its name a buffer`, 'buffer');
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
	return BUFFER.test(name) ? no(`one number: ${at}; by its name a buffer`, 'buffer') : no(`one number: ${at}`);
}

/** The verdict where the exporter's word decides it; null where the uses do. A table of sines is fixed also where its module holds it as a parameter. */
function labelled(label: ExporterLabel | undefined, byUse: readonly Verdict[], pattern: Pattern | null): Verdict | null {
	const isTrained = byUse.some(({ kind }) => kind === 'parameter');
	// a statistic and a parameter at once is what an exporter merged, whatever it calls it
	if (label === undefined || byUse.some(({ kind }) => kind === 'statistic')) return null;
	const { reason } = byUse[0] as Verdict;
	if (label !== 'parameter') return no(`${reason}; the exporter says that it is a ${label}`, label);
	return isTrained || pattern === 'sinusoids' ? null : yes(`${reason}; the exporter says that it is a parameter`);
}

function judged(name: string, tensor: Tensor, uses: Uses, label: ExporterLabel | undefined): Verdict {
	const ends = uses.ends(name);
	if (ends.length === 0) return no('no node that reads data uses it', label === 'buffer' ? label : 'constant');
	const pattern = patternOf(tensor);
	const verdicts = ends.map((end) => verdictOf(name, tensor, pattern, end, uses));
	const said = labelled(label, verdicts, pattern);
	if (said !== null) return said;
	const trained = verdicts.find(({ kind }) => kind === 'parameter');
	if (trained === undefined) return verdicts[0] as Verdict;
	// the weights are tied on purpose, or an exporter merged equal numbers: the reader of the report knows which
	const others = new Set(ends.map(({ node }) => node)).size - 1;
	return others === 0 ? trained : yes(`${trained.reason}; ${others} more ${others === 1 ? 'node uses' : 'nodes use'} it`);
}

/**
 * Every initializer of a floating type in the main graph, in order, with whether it is a parameter. Its use decides that: the use is followed through views
 * (Transpose, Reshape, Expand …), through arithmetic that no data enters, and into the bodies of Loop, Scan and If. Its name and its numbers decide what the use
 * leaves open: a mask and a table of sines are added just as learned positions are. Where the exporter labels initializers, its word counts.
 */
export function parametersOf({ graph, labels, constantWeights = new Set() }: Model): Parameter[] {
	const uses = new Uses(
		flatNodes(graph),
		graph.inputs.map(({ name }) => name),
	);
	const parameters = [...graph.initializers].flatMap(([name, tensor]): Parameter[] => {
		if (!isFloating(tensor.dtype)) return [];
		const { kind, reason } = judged(name, tensor, uses, labels?.get(name));
		return [{ name, dtype: tensor.dtype, shape: tensor.shape, kind, trainable: kind === 'parameter', reason }];
	});
	// an exporter that writes its parameters as initializers writes the numbers of formulas as Constant nodes
	const fromConstant = ({ name }: Parameter): boolean => constantWeights.has(name);
	if (!parameters.some((one) => one.trainable && !fromConstant(one))) return parameters;
	return parameters.map((one) =>
		fromConstant(one) && one.trainable
			? { ...one, trainable: false, ...no(`${one.reason}, but a Constant node, where other weights of the model are initializers`) }
			: one,
	);
}
