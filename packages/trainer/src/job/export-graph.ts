import type { JobTask } from '@steelyard/contracts';
import type { Standardisation } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { type Dim, GraphBuilder, type Model, OPSET, type Shape, type Value, withConstantNodes } from '@steelyard/onnx';
import type { Tensor } from '@steelyard/runtime';
import type { Architecture, Forward } from '../model/architecture.js';
import type { TargetScale } from '../model/examples.js';
import { portInput } from '../model/port.js';
import { standardised } from '../model/standardise.js';
import { expertUseName, maskName, valuesName } from '../model/value-names.js';
import { LABEL_THRESHOLD } from '../report/multilabel-metrics.js';
import { medianColumn } from '../weighting/over-median.js';
import type { Weigher } from '../weighting/weigher.js';
import { exportedPorts } from './exported-ports.js';

export type TrainedModel = { readonly architecture: Architecture; readonly parameters: ReadonlyMap<string, Tensor> };

export type ExportOptions = {
	fusion: TrainedModel;
	/** The models of each modality, in its order; needed where the weigher needs their outputs. */
	unimodal: readonly (readonly TrainedModel[])[];
	/** Modalities that have a mask: whole rows or steps may be missing. */
	masked: ReadonlySet<string>;
	task: JobTask;
	scale: TargetScale;
	standardisation: ReadonlyMap<string, Standardisation>;
	weigher: Weigher<unknown>;
	/** Of the weigher; null before any refresh. */
	statistics: unknown;
	/** What the logits are divided by; null where they are given as they are. */
	temperature: number | null;
	/** Of multilabel, above which probability each label is predicted; null for ½. */
	thresholds: readonly number[] | null;
	metadata: Readonly<Record<string, string>>;
};

/** A model, and the routers, `<layer>.<router>`, whose use of experts it gives. */
export type ExportedModel = { readonly model: Model; readonly routers: readonly string[] };

/** Ones for every row of x, `[batch, width]`. */
function onesFor(g: GraphBuilder, x: Value, width: number): Value {
	const rows = g.op('Shape', [x], { start: 0, end: 1 }, { dtype: 'int64', shape: [1] });
	const size = g.op('Concat', [rows, g.ints([width])], { axis: 0 }, { shape: [2] });
	return g.op('Expand', [g.constant('float32', [1, 1], [1]), size], {}, { shape: [x.shape[0] as Dim, width] });
}

/** What the graph has of one modality: its raw values, standardised values `x`, and masks of both kinds, made when asked for. */
type Input = {
	readonly x: Value;
	/** `[batch, 1]`. */
	readonly present: () => Value;
	/** `[batch, steps]`. */
	readonly steps: () => Value;
};

/** Adds the inputs of the exported model. */
function addInputs(g: GraphBuilder, { fusion, masked, standardisation }: ExportOptions): Map<string, Input> {
	const { modalities, fixedBatch } = fusion.architecture;
	const ports = exportedPorts(modalities, masked);
	for (const port of [...ports.values, ...ports.masks]) portInput(g, port, [fixedBatch ?? 'batch']);
	return new Map(
		modalities.map(({ name, shape, maskedSteps }) => {
			const raw = g.value(valuesName(name));
			const mask = masked.has(name) ? g.value(maskName(name)) : null;
			const present = (): Value => {
				if (mask === null) return onesFor(g, raw, 1);
				return maskedSteps ? g.reduce('ReduceMax', mask, [1]) : g.reshape(mask, [mask.shape[0] as Dim, 1]);
			};
			const steps = (): Value => {
				if (mask !== null && maskedSteps) return mask;
				const ones = onesFor(g, raw, shape[0] as number);
				return mask === null ? ones : g.mul(present(), ones);
			};
			return [name, { x: standardised(g, raw, standardisation.get(name) ?? null), present, steps }];
		}),
	);
}

/** Columns `[batch, 1]` of a matrix `[batch, n]`. */
function columnsOf(g: GraphBuilder, matrix: Value): Value[] {
	const count = matrix.shape[1] as number;
	return count === 1 ? [matrix] : g.split(matrix, new Array<number>(count).fill(1), 1);
}

/** The numbers of each row, `[batch, count]`, in rising order. */
function ascending(g: GraphBuilder, rows: Value): Value {
	const count = rows.shape[1] as number;
	const sorted = g.fresh('ascending', rows.dtype, rows.shape);
	g.node('TopK', [rows, g.ints([count])], [sorted, g.fresh('order', 'int64', rows.shape)], { axis: 1, largest: 0, sorted: 1 });
	return sorted;
}

/** `prediction`, for classes `probabilities` and `logits`, and `quantiles` where the job is on these, of logits, values or quantiles in rising order, `[batch, outputs]`. */
function predictions(g: GraphBuilder, task: JobTask, logits: Value, thresholds: readonly number[] | null): void {
	const rows: Shape = [logits.shape[0] as Dim];
	const predicted = (probabilities: Value): Value =>
		g.op('ArgMax', [probabilities], { axis: 1, keepdims: 0 }, { dtype: 'int64', shape: rows });
	if (task.quantiles !== undefined) {
		g.output('prediction', g.reshape(medianColumn(g, task.quantiles, logits), rows));
		g.output('quantiles', logits);
		return;
	}
	if (task.type === 'regression') {
		g.output('prediction', g.reshape(logits, rows));
		return;
	}
	if (task.type === 'multilabel') {
		const probabilities = g.op('Sigmoid', [logits]);
		const limit = thresholds === null ? g.scalar(LABEL_THRESHOLD) : g.constant('float32', [1, thresholds.length], thresholds);
		const above = g.op('Less', [limit, probabilities], {}, { dtype: 'bool', shape: probabilities.shape });
		g.output('prediction', g.cast(above, 'int64'));
		g.output('probabilities', probabilities);
		g.output('logits', logits);
		return;
	}
	const probabilities =
		task.type === 'binary'
			? g.concat([g.op('Sigmoid', [g.neg(logits)]), g.op('Sigmoid', [logits])], 1)
			: g.op('Softmax', [logits], { axis: 1 });
	g.output('prediction', predicted(probabilities));
	g.output('probabilities', probabilities);
	g.output('logits', logits);
}

/**
 * The trained model as one self-contained ONNX model: standardisation, unimodal models, weighting and both passes of the fusion.
 * Inputs `x.<modality>` `[batch, …shape]`, raw, and `mask.<modality>` `[batch]` or `[batch, steps]` of 0 and 1 where the dataset has masks; outputs
 * `prediction` `[batch]` (class index, int64, or value), of multilabel `[batch, labels]` (int64 0 and 1, 1 above ½ or the threshold of the label); `probabilities` `[batch, classes]` or
 * `[batch, labels]`; `logits` `[batch, outputs]`, those of the probabilities, so after the temperature, not for regression; of a job on quantiles `quantiles` `[batch, Q]`, in rising order: those of each model that cross are
 * sorted by TopK, which gives all Q numbers of a row here, and `prediction` is the median after that; `modality_weights` `[batch, M]`; of methods that weigh by it `modality_divergence` `[batch, M]`, KL(unimodal ‖ first pass) in nats, 0 where the
 * modality is missing; and `expert_use.<layer>.<router>` `[batch, experts]` of the last pass, for models with experts.
 */
export function exportModel(options: ExportOptions): ExportedModel {
	const { fusion, unimodal, task, scale, weigher, statistics, temperature, thresholds } = options;
	const { modalities, opset } = fusion.architecture;
	const g = new GraphBuilder('model/');
	const inputs = addInputs(g, options);
	const inputOf = (name: string): Input => inputs.get(name) as Input;
	const presences = modalities.map(({ name }) => inputOf(name).present());
	const outputOf = (logits: Value): Value => {
		if (task.type !== 'regression') return logits;
		const values = g.add(g.scale(scale.deviation, logits), g.scalar(scale.mean));
		return task.quantiles === undefined ? values : ascending(g, values);
	};

	const forwardOf = ({ architecture, parameters }: TrainedModel, scope: string): Forward => {
		// what the pass does not ask for, such as the noise of routers, does not travel
		const asked = new Map<string, Value>();
		const parameter = (name: string): Value => {
			const known = asked.get(name) ?? g.initializer(`${scope}/${name}`, parameters.get(name) as Tensor);
			asked.set(name, known);
			return known;
		};
		const mask = (name: string): Value => (architecture.masks.get(name) === 'rows' ? inputOf(name).present() : inputOf(name).steps());
		return architecture.forward(g, { x: (name) => inputOf(name).x, mask, parameter }, { scope, mode: 'infer' });
	};

	const fusionPass = forwardOf(fusion, 'fusion');
	let expertUse: ReadonlyMap<string, Value> = new Map();
	const fusedUnder = (weights: Value): Value => {
		const weighted = columnsOf(g, weights).map((weight, m) => ({ weight, present: presences[m] as Value }));
		const pass = fusionPass.fused(weighted);
		expertUse = pass.expertUse;
		return outputOf(pass.logits);
	};
	/** The mean over the models of modality m. */
	const unimodalOutput = (models: readonly TrainedModel[], m: number): Value => {
		const { name } = modalities[m] as ModalityShape;
		const present = presences[m] as Value;
		const outputs = models.map((model, fold) => {
			const scope = models.length === 1 ? `unimodal.${name}` : `unimodal.${name}.${fold}`;
			return outputOf(forwardOf(model, scope).fused([{ weight: present, present }]).logits);
		});
		const sum = outputs.reduce((a, b) => g.add(a, b));
		return outputs.length === 1 ? sum : g.scale(1 / outputs.length, sum);
	};

	const present = presences.length === 1 ? (presences[0] as Value) : g.concat(presences, 1);
	const weighed = { unimodal: unimodal.map(unimodalOutput), present, fused: fusedUnder };
	const { weights, output, divergence } = weigher.graph(g, weighed, statistics);
	predictions(g, task, temperature === null ? output : g.scale(1 / temperature, output), thresholds);
	g.output('modality_weights', weights);
	if (divergence !== undefined) g.output('modality_divergence', divergence);
	for (const [router, value] of expertUse) g.output(expertUseName(router), value);
	const graph = withConstantNodes(g.build('steelyard'), g.constantNames);
	return { model: { graph, opset: Math.max(OPSET, opset), metadata: options.metadata }, routers: [...expertUse.keys()] };
}
