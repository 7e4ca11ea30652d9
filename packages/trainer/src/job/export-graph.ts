import type { TaskProfile } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/layers';
import { type Dim, encodeModel, GraphBuilder, OPSET, type Shape, type Value } from '@steelyard/onnx';
import type { Tensor } from '@steelyard/runtime';
import type { Architecture, Forward } from '../model/architecture.js';
import type { MaskKind, TargetScale } from '../model/examples.js';
import { portInput } from '../model/port.js';
import { type Standardisation, standardised } from '../model/standardise.js';
import { maskName, valuesName } from '../model/value-names.js';
import { LABEL_THRESHOLD } from '../report/multilabel-metrics.js';
import type { Weigher } from '../weighting/weigher.js';
import { exportedPorts } from './exported-ports.js';

export type TrainedModel = { readonly architecture: Architecture; readonly parameters: ReadonlyMap<string, Tensor> };

export type ExportOptions = {
	fusion: TrainedModel;
	/** The models of each modality, in its order; needed where the weigher needs their outputs. */
	unimodal: readonly (readonly TrainedModel[])[];
	/** Modalities that have a mask: whole rows or steps may be missing. */
	masked: ReadonlySet<string>;
	task: TaskProfile;
	scale: TargetScale;
	standardisation: ReadonlyMap<string, Standardisation>;
	weigher: Weigher<unknown>;
	/** Of the weigher; null before any refresh. */
	statistics: unknown;
	metadata: Readonly<Record<string, string>>;
};

/** Ones for every row of x, `[batch, width]`. */
function onesFor(g: GraphBuilder, x: Value, width: number): Value {
	const rows = g.op('Shape', [x], { start: 0, end: 1 }, { dtype: 'int64', shape: [1] });
	const size = g.op('Concat', [rows, g.ints([width])], { axis: 0 }, { shape: [2] });
	return g.op('Expand', [g.constant('float32', [1, 1], [1]), size], {}, { shape: [x.shape[0] as Dim, width] });
}

/** 1 where the modality of a row is there, `[batch, 1]`. */
function presenceOf(g: GraphBuilder, modality: ModalityShape, mask: Value | undefined, x: Value): Value {
	if (mask !== undefined) return modality.maskedSteps ? g.reduce('ReduceMax', mask, [1]) : g.reshape(mask, [mask.shape[0] as Dim, 1]);
	return onesFor(g, x, 1);
}

/** `prediction`, and `probabilities` for classes, of logits `[batch, outputs]`. */
function predictions(g: GraphBuilder, task: TaskProfile, logits: Value): void {
	const rows: Shape = [logits.shape[0] as Dim];
	const predicted = (probabilities: Value): Value =>
		g.op('ArgMax', [probabilities], { axis: 1, keepdims: 0 }, { dtype: 'int64', shape: rows });
	if (task.type === 'regression') {
		g.output('prediction', g.reshape(logits, rows));
		return;
	}
	if (task.type === 'multilabel') {
		const probabilities = g.op('Sigmoid', [logits]);
		const above = g.op('Less', [g.scalar(LABEL_THRESHOLD), probabilities], {}, { dtype: 'bool', shape: probabilities.shape });
		g.output('prediction', g.cast(above, 'int64'));
		g.output('probabilities', probabilities);
		return;
	}
	const probabilities =
		task.type === 'binary'
			? g.concat([g.op('Sigmoid', [g.neg(logits)]), g.op('Sigmoid', [logits])], 1)
			: g.op('Softmax', [logits], { axis: 1 });
	g.output('prediction', predicted(probabilities));
	g.output('probabilities', probabilities);
}

/**
 * The trained model as one self-contained ONNX file: standardisation, unimodal models, weighting and both passes of the fusion.
 * Inputs `x.<modality>` `[batch, …shape]`, raw, and `mask.<modality>` `[batch]` or `[batch, steps]` of 0 and 1 where the dataset has masks; outputs
 * `prediction` `[batch]` (class index, int64, or value), of multilabel `[batch, labels]` (int64 0 and 1, 1 above ½); `probabilities` `[batch, classes]` or
 * `[batch, labels]`; `modality_weights` `[batch, M]`; of methods that weigh by it `modality_divergence` `[batch, M]`, KL(unimodal ‖ first pass) in nats, 0 where the
 * modality is missing; what the family tells of itself in the last pass, `[batch, n]` each, under the names that it gives.
 */
export function exportModel(options: ExportOptions): Uint8Array {
	const { fusion, unimodal, masked, task, scale, standardisation, weigher, statistics } = options;
	const { modalities, fixedBatch, opset } = fusion.architecture;
	const batch = fixedBatch ?? 'batch';
	const g = new GraphBuilder('model/');
	const ports = exportedPorts(modalities, masked);
	for (const port of [...ports.values, ...ports.masks]) portInput(g, port, [batch]);
	const raw = new Map(modalities.map(({ name }) => [name, g.value(valuesName(name))]));
	const masks = new Map([...masked].map((name) => [name, g.value(maskName(name))]));
	const x = new Map([...raw].map(([name, value]) => [name, standardised(g, value, standardisation.get(name) ?? null)]));
	const modality = (name: string) => modalities.find((one) => one.name === name) as ModalityShape;
	const maskOf = (name: string, kind: MaskKind): Value => {
		const [mask, value] = [masks.get(name), raw.get(name) as Value];
		if (kind === 'rows') return presenceOf(g, modality(name), mask, value);
		return mask ?? onesFor(g, value, modality(name).shape[0] as number);
	};
	const forwardOf = ({ architecture, parameters }: TrainedModel, scope: string): Forward => {
		// what the pass does not ask for, such as the noise of routers, does not travel
		const asked = new Map<string, Value>();
		const parameter = (name: string): Value => {
			const known = asked.get(name) ?? g.initializer(`${scope}/${name}`, parameters.get(name) as Tensor);
			asked.set(name, known);
			return known;
		};
		const inputs = {
			x: (m: string) => x.get(m) as Value,
			mask: (m: string) => maskOf(m, architecture.masks.get(m) as MaskKind),
			parameter,
		};
		return architecture.forward(g, inputs, { scope, mode: 'infer' });
	};
	const outputOf = (logits: Value): Value =>
		task.type === 'regression' ? g.add(g.scale(scale.deviation, logits), g.scalar(scale.mean)) : logits;

	const present = g.concat(
		modalities.map((modality) => presenceOf(g, modality, masks.get(modality.name), raw.get(modality.name) as Value)),
		1,
	);
	const fused = forwardOf(fusion, 'fusion');
	let told: ReadonlyMap<string, Value> = new Map();
	const fusedUnder = (weights: Value): Value => {
		const columns =
			modalities.length === 1
				? [weights]
				: g.split(
						weights,
						modalities.map(() => 1),
						1,
					);
		const { logits, statistics } = fused.fused(columns);
		told = statistics;
		return outputOf(logits);
	};

	const columnOf = (m: number): Value =>
		modalities.length === 1
			? present
			: (g.split(
					present,
					modalities.map(() => 1),
					1,
				)[m] as Value);
	/** The mean over the models of modality m. */
	const unimodalOutput = (models: readonly TrainedModel[], m: number): Value => {
		const { name } = modalities[m] as ModalityShape;
		const outputs = models.map((model, f) => {
			const scope = models.length === 1 ? `unimodal.${name}` : `unimodal.${name}.${f}`;
			return outputOf(forwardOf(model, scope).fused([columnOf(m)]).logits);
		});
		const sum = outputs.reduce((a, b) => g.add(a, b));
		return outputs.length === 1 ? sum : g.scale(1 / outputs.length, sum);
	};
	const inputs = { unimodal: unimodal.map(unimodalOutput), present, fused: fusedUnder };
	const { weights, output, divergence } = weigher.graph(g, inputs, statistics);
	predictions(g, task, output);
	g.output('modality_weights', weights);
	if (divergence !== undefined) g.output('modality_divergence', divergence);
	for (const [name, value] of told) g.output(name, value);
	return encodeModel({ graph: g.build('steelyard'), opset: Math.max(OPSET, opset), metadata: options.metadata });
}
