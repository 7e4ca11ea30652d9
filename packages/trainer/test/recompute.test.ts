import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { scanProgram } from '../src/step/scan-program.js';
import { stepOf } from './training-steps.js';

const bytes = async (recompute?: 'none' | 'segments'): Promise<number> => {
	const architecture = familyArchitecture({
		config: { family: 'mlp-fusion', hidden: 8, encoder_layers: 4, head_layers: 2 },
		modalities: [{ name: 'a', shape: [5], maskedSteps: false }],
		outputs: 3,
	});
	const step = await stepOf({ architecture, batch: 4, loss: 'cross_entropy', optimizer: { name: 'sgd' }, recompute });
	return scanProgram(step).bytes.length;
};

describe('the training program', () => {
	it('makes values again when it is told to alone', async () => {
		expect(await bytes()).toBe(await bytes('none'));
		expect(await bytes('segments')).toBeGreaterThan(await bytes());
	});
});
