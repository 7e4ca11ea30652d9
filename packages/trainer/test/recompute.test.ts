import { optimizer as optimizerOf } from '@steelyard/optim';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { compileTrainProgram } from '../src/step/train-program.js';

const bytes = async (recompute?: 'none' | 'segments'): Promise<number> => {
	const architecture = familyArchitecture({
		config: { family: 'mlp-fusion', hidden: 8, encoder_layers: 4, head_layers: 2 },
		modalities: [{ name: 'a', shape: [5], maskedSteps: false }],
		outputs: 3,
	});
	const optimizer = optimizerOf({ name: 'sgd', weightDecay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
	const { model } = await compileTrainProgram({
		architecture,
		batch: 4,
		loss: 'cross_entropy',
		optimizer,
		clipNorm: null,
		standardisation: new Map(),
		recompute,
	});
	return model.bytes.length;
};

describe('the training program', () => {
	it('makes values again when it is told to alone', async () => {
		expect(await bytes()).toBe(await bytes('none'));
		expect(await bytes('segments')).toBeGreaterThan(await bytes());
	});
});
