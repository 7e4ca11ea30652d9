import { familySize, type MmimMoeConfig, parseJobSpec } from '@steelyard/contracts';
import { multiplyAdds } from '@steelyard/family';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mmimMoe } from '../src/mmim-moe.js';

const SHAPES = { labs: [7], text: [5, 3], notes: [2] };

it('has as many parameters as the contracts count without building it', () => {
	const config = fc.record(
		{
			family: fc.constant('mmim-moe'),
			width: fc.integer({ min: 1, max: 9 }),
			layers: fc.integer({ min: 1, max: 3 }),
			block: fc.constantFrom('attention', 'conv'),
			experts: fc.integer({ min: 2, max: 5 }),
			expert_hidden: fc.integer({ min: 1, max: 9 }),
			router: fc.constantFrom('joint', 'permod', 'disjoint'),
			noisy: fc.boolean(),
			sequence: fc.record({ cell: fc.constantFrom('lstm', 'gru'), bidirectional: fc.boolean(), hidden: fc.integer({ min: 1, max: 9 }) }),
		},
		{ requiredKeys: ['family'] },
	);
	const names = fc.subarray(['labs', 'text', 'notes'] as const, { minLength: 1 });
	const property = fc.property(config, names, fc.integer({ min: 1, max: 4 }), (given, chosen, outputs) => {
		const model = parseJobSpec({ dataset: 'ds_1', model: given }).model as MmimMoeConfig;
		const modalities = chosen.map((name) => ({ name, shape: SHAPES[name], maskedSteps: false }));
		const counted = multiplyAdds(mmimMoe.parameters(model, modalities, outputs), () => 1);
		expect(familySize(model, modalities, outputs)?.parameters).toBe(counted);
	});
	fc.assert(property, { numRuns: 200 });
});
