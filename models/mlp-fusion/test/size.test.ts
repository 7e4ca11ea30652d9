import { FUSIONS, familySize, type MlpFusionConfig, parseJobSpec } from '@steelyard/contracts';
import { multiplyAdds } from '@steelyard/family';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mlpFusion } from '../src/mlp-fusion.js';

const SHAPES = { labs: [7], text: [5, 3], notes: [2] };

it('has as many parameters as the contracts count without building it', () => {
	const config = fc.record(
		{
			family: fc.constant('mlp-fusion'),
			hidden: fc.constantFrom(4, 8, 12),
			encoder_layers: fc.integer({ min: 1, max: 3 }),
			head_layers: fc.integer({ min: 1, max: 3 }),
			pooling: fc.constantFrom('attention', 'statistics'),
			fusion: fc.constantFrom(...FUSIONS),
			rank: fc.integer({ min: 1, max: 5 }),
			tensor_width: fc.integer({ min: 1, max: 5 }),
		},
		{ requiredKeys: ['family'] },
	);
	const names = fc.subarray(['labs', 'text', 'notes'] as const, { minLength: 1 });
	const property = fc.property(config, names, fc.integer({ min: 1, max: 4 }), (given, chosen, outputs) => {
		const model = parseJobSpec({ dataset: 'ds_1', model: given }).model as MlpFusionConfig;
		const modalities = chosen.map((name) => ({ name, shape: SHAPES[name], maskedSteps: false }));
		const counted = multiplyAdds(mlpFusion.parameters(model, modalities, outputs), () => 1);
		expect(familySize(model, modalities, outputs)?.parameters).toBe(counted);
	});
	fc.assert(property, { numRuns: 200 });
});
