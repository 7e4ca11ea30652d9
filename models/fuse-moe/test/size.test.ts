import { type FuseMoeConfig, familySize, parseJobSpec } from '@steelyard/contracts';
import { multiplyAdds } from '@steelyard/family';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fuseMoe } from '../src/fuse-moe.js';

const SHAPES = { labs: [7], text: [5, 3], notes: [2] };

it('has as many parameters as the contracts count without building it', () => {
	const config = fc.record(
		{
			family: fc.constant('fuse-moe'),
			width: fc.constantFrom(4, 8),
			heads: fc.constantFrom(1, 2, 4),
			layers: fc.integer({ min: 1, max: 3 }),
			tokens: fc.integer({ min: 1, max: 5 }),
			sequence_encoder: fc.constantFrom('mtand', 'lstm', 'gru'),
			time_width: fc.constantFrom(4, 8),
			time_columns: fc.constantFrom({}, { text: 0 }),
			bidirectional: fc.boolean(),
			hidden: fc.integer({ min: 1, max: 9 }),
			experts: fc.integer({ min: 2, max: 5 }),
			expert_hidden: fc.integer({ min: 1, max: 9 }),
			router: fc.constantFrom('joint', 'permod', 'disjoint'),
			noisy: fc.boolean(),
		},
		{ requiredKeys: ['family', 'heads'] },
	);
	const names = fc.subarray(['labs', 'text', 'notes'] as const, { minLength: 1 });
	const property = fc.property(config, names, fc.integer({ min: 1, max: 4 }), (given, chosen, outputs) => {
		const model = parseJobSpec({ dataset: 'ds_1', model: given }).model as FuseMoeConfig;
		const modalities = chosen.map((name) => ({ name, shape: SHAPES[name], maskedSteps: false }));
		const counted = multiplyAdds(fuseMoe.parameters(model, modalities, outputs), () => 1);
		expect(familySize(model, modalities, outputs)?.parameters).toBe(counted);
	});
	fc.assert(property, { numRuns: 200 });
});
