import type { Metrics, TaskProfile } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/layers';
import type { Session, Tensor } from '@steelyard/runtime';
import type { OwnModel } from '../model/architecture.js';
import { type Examples, filledUp, forwardInputs, inBatches, labelsOf, maskedSteps, presence } from '../model/examples.js';
import { metricsOf, type Predictions } from '../report/metrics.js';
import { predictionsFrom } from '../report/predictions.js';
import { evenWeights } from '../weighting/weigher.js';

/** Rows of one forward pass when a model is judged. */
export const EVALUATION_BATCH = 256;

export type Evaluation = {
	readonly metrics: Metrics;
	readonly predictions: Predictions;
	/** `[N, M]` */
	readonly weights: Float32Array;
	/** `[N, M]`, nats, 0 where the modality is missing; null where the weights do not come from divergences. */
	readonly divergence: Float32Array | null;
	/** What the model tells of itself, as means over the rows, by name. */
	readonly statistics: Readonly<Record<string, readonly number[]>>;
};

/** The outputs of an exported model beside those that the family tells of itself. */
const OUTPUTS: readonly string[] = ['prediction', 'probabilities', 'modality_weights', 'modality_divergence'];

/** Inputs of an exported model for some examples: `x.<modality>` and every mask that the model asks for. */
function exportedInputs(
	session: Session,
	examples: Examples,
	modalities: readonly ModalityShape[],
	chosen: Uint32Array,
): Record<string, Tensor> {
	const inputs = forwardInputs(examples, modalities, maskedSteps(modalities), chosen);
	for (const { name } of session.inputs) {
		if (name in inputs || !name.startsWith('mask.')) continue;
		const mask = examples.split.mask(name.slice('mask.'.length));
		const data = Float32Array.from(chosen, (i) => mask?.[examples.rows[i] as number] ?? 1);
		inputs[name] = { dtype: 'float32', shape: [chosen.length], data };
	}
	return inputs;
}

/** Runs an exported model over the examples and measures what it says: the figures that a job reports. */
export async function evaluateModel(
	session: Session,
	examples: Examples,
	modalities: readonly ModalityShape[],
	task: TaskProfile,
): Promise<Evaluation> {
	const count = examples.rows.length;
	const classes = task.type === 'binary' ? 2 : task.outputs;
	const said = new Float32Array(count * classes);
	const weights = new Float32Array(count * modalities.length);
	const diverges = session.outputs.some(({ name }) => name === 'modality_divergence');
	const divergence = diverges ? new Float32Array(weights.length) : null;
	const told = session.outputs.filter(({ name }) => !OUTPUTS.includes(name));
	const sums = new Map(told.map(({ name, shape }) => [name, new Array<number>(shape[1] as number).fill(0)]));
	const fixed = session.inputs[0]?.shape[0];
	const size = typeof fixed === 'number' ? fixed : EVALUATION_BATCH;
	await inBatches(examples, size, async (real) => {
		const outputs = await session.run(
			exportedInputs(session, examples, modalities, typeof fixed === 'number' ? filledUp(real, fixed) : real),
		);
		const put = (output: string, width: number, into: Float32Array): void =>
			into.set(((outputs[output] as Tensor).data as Float32Array).subarray(0, real.length * width), (real[0] as number) * width);
		put(task.type === 'regression' ? 'prediction' : 'probabilities', classes, said);
		put('modality_weights', modalities.length, weights);
		if (divergence !== null) put('modality_divergence', modalities.length, divergence);
		for (const [name, sum] of sums) {
			const rows = ((outputs[name] as Tensor).data as Float32Array).subarray(0, real.length * sum.length);
			rows.forEach((value, i) => {
				sum[i % sum.length] = (sum[i % sum.length] as number) + value / count;
			});
		}
	});
	const predictions: Predictions = task.type === 'regression' ? { values: said } : { probabilities: said };
	return {
		metrics: metricsOf(task, predictions, labelsOf(examples)),
		predictions,
		weights,
		divergence,
		statistics: Object.fromEntries(sums),
	};
}

/** Runs a trained graph of the user's own over the examples, unweighted, and measures what it says: the figures that a job reports. */
export async function evaluateOwnModel(
	session: Session,
	model: OwnModel,
	examples: Examples,
	modalities: readonly ModalityShape[],
	task: TaskProfile,
): Promise<Evaluation> {
	const weights = evenWeights(
		examples.rows.length,
		modalities.map((modality) => presence(examples, modality)),
	);
	const predictions = predictionsFrom(task, await model.run(session, examples, weights));
	return { metrics: metricsOf(task, predictions, labelsOf(examples)), predictions, weights, divergence: null, statistics: {} };
}
