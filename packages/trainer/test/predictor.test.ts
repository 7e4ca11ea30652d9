import { openDataset } from '@steelyard/dataset';
import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { layoutOf, packed } from '../src/model/parameter-layout.js';
import { createPredictor, type PredictorLimits } from '../src/model/predictor.js';
import { smallDataset } from './small-dataset.js';

const ROWS = 600;

const model = {
	config: { family: 'mlp-fusion' as const, hidden: 16, encoder_layers: 1, head_layers: 1 },
	modalities: [
		{ name: 'a', shape: [6], maskedSteps: false },
		{ name: 'c', shape: [2], maskedSteps: false },
	],
	outputs: 3,
};

/** Logits of rows that repeat those of a split, under weights that were drawn. */
async function logits(limits?: PredictorLimits): Promise<Float32Array> {
	const { folder, remove } = await smallDataset('multiclass');
	const dataset = openDataset(folder);
	const predictor = await createPredictor(
		model,
		{
			...{ standardisation: new Map(), scale: { mean: 0, deviation: 1 }, ascending: false, provider: 'cpu', threads: 1 },
			stoppable: (session) => session,
		},
		limits,
	);
	const architecture = familyArchitecture(model);
	const split = dataset.split('train');
	const examples = { name: 'train', split, rows: Uint32Array.from({ length: ROWS }, (_, i) => (i * 7) % split.rows) };
	const random = counterRandom(1, 'weights');
	try {
		const fused = await predictor.encode(examples, packed(layoutOf(architecture).trained, architecture.initial(1, 0)));
		return await fused(Float32Array.from({ length: ROWS * 2 }, () => random.uniform()));
	} finally {
		await predictor.dispose();
		dataset.close();
		await remove();
	}
}

describe('a predictor of a family', () => {
	it('gives the same for many rows, whose embeddings it does not keep and fuses part by part', async () => {
		const whole = await logits();
		expect(new Set(whole).size).toBeGreaterThan(ROWS);
		expect(await logits({ kept: 2 ** 26, fused: 1 })).toEqual(whole);
		expect(await logits({ kept: 0, fused: 1 })).toEqual(whole);
	});
});
