import type { TaskProfile } from '@steelyard/contracts';
import type { Provider, Tensor } from '@steelyard/runtime';
import type { Architecture } from './architecture.js';
import { parametersOf } from './architecture.js';
import { EVALUATION_BATCH } from './evaluate.js';
import { type Examples, forwardInputs, inBatches, type TargetScale } from './examples.js';
import type { Predictions } from './metrics.js';
import { layOut } from './parameter-layout.js';
import { compilePredictProgram, type Parameters } from './predict-program.js';
import type { Standardisation } from './standardise.js';

/** Runs the forward pass of one architecture under changing parameters and weights. */
export type Predictor = {
	/** Logits, or raw values for regression, `[N, outputs]`, under weights `[N, M]`. */
	outputs(examples: Examples, parameters: Parameters, weights: Float32Array): Promise<Float32Array>;
	dispose(): Promise<void>;
};

export async function createPredictor(
	architecture: Architecture,
	options: { standardisation: ReadonlyMap<string, Standardisation>; scale: TargetScale; provider: Provider; threads: number },
): Promise<Predictor> {
	const { modalities, outputs } = architecture;
	const session = await compilePredictProgram(architecture, layOut(parametersOf(architecture)), options.standardisation, options);
	const { mean, deviation } = options.scale;
	return {
		async outputs(examples, parameters, weights) {
			const all = new Float32Array(examples.rows.length * outputs);
			await inBatches(examples, EVALUATION_BATCH, async (chosen) => {
				const inputs: Record<string, Tensor> = { ...parameters, ...forwardInputs(examples, modalities, chosen) };
				modalities.forEach(({ name }, m) => {
					const data = Float32Array.from(chosen, (i) => weights[i * modalities.length + m] as number);
					inputs[`w.${name}`] = { dtype: 'float32', shape: [chosen.length, 1], data };
				});
				const { logits } = await session.run(inputs);
				all.set((logits as Tensor).data as Float32Array, (chosen[0] as number) * outputs);
			});
			return mean === 0 && deviation === 1 ? all : all.map((value) => Math.fround(Math.fround(value * deviation) + mean));
		},
		dispose: () => session.release(),
	};
}

/** What outputs say: probabilities (softmax, or two columns of a sigmoid) or values. */
export function predictionsFrom(task: TaskProfile, outputs: Float32Array): Predictions {
	if (task.type === 'regression') return { values: outputs };
	if (task.type === 'binary') {
		const probabilities = new Float32Array(outputs.length * 2);
		outputs.forEach((z, i) => {
			probabilities[2 * i] = 1 / (1 + Math.exp(z));
			probabilities[2 * i + 1] = 1 / (1 + Math.exp(-z));
		});
		return { probabilities };
	}
	const classes = task.outputs;
	const probabilities = new Float32Array(outputs.length);
	for (let row = 0; row < outputs.length; row += classes) {
		const logits = outputs.subarray(row, row + classes);
		const most = logits.reduce((a, b) => Math.max(a, b));
		const sum = logits.reduce((total, z) => total + Math.exp(z - most), 0);
		logits.forEach((z, c) => {
			probabilities[row + c] = Math.exp(z - most) / sum;
		});
	}
	return { probabilities };
}
