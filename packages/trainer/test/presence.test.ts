import type { FuseMoeConfig, MlpFusionConfig } from '@steelyard/contracts';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import type { FamilyConfig } from '../src/model/family-model.js';

const crossAttention: MlpFusionConfig = {
	family: 'mlp-fusion',
	hidden: 8,
	encoder_layers: 1,
	head_layers: 1,
	fusion: 'cross-attention',
	heads: 2,
};
const concatenation: MlpFusionConfig = { ...crossAttention, fusion: 'concatenation' };
const fuseMoe: FuseMoeConfig = {
	...{ family: 'fuse-moe', width: 8, heads: 2, layers: 1, tokens: 1, sequence_encoder: 'mtand', time_width: 4, time_columns: {} },
	...{ bidirectional: false, hidden: 4, experts: 2, top_k: 1, expert_hidden: 4, router: 'joint', gate: 'softmax', noisy: false },
	...{ balance: 0, dropout: 0 },
};
// three, so that attention to b is a share of what is looked at
const modalities = ['a', 'b', 'c'].map((name) => ({ name, shape: [3], maskedSteps: false }));

/** The logit of a row whose modality `b` has that weight and presence. */
async function logitOf(config: FamilyConfig, weight: number, present: number): Promise<number> {
	const architecture = familyArchitecture({ config, modalities, outputs: 1 });
	const initial = architecture.initial(1, 0);
	const g = new GraphBuilder();
	const parameters = new Map(
		architecture.parameters.map(({ name, shape }) => [name, g.initializer(name, tensor('float32', shape, initial.get(name)!))]),
	);
	const number = (value: number) => g.constant('float32', [1, 1], [value]);
	const inputs = {
		x: (m: string) => g.initializer(`x.${m}`, tensor('float32', [1, 3], { a: [1, -2, 0.5], b: [0.3, 4, -1], c: [2, 1, 1] }[m]!)),
		mask: () => number(1),
		parameter: (name: string) => parameters.get(name)!,
	};
	const forward = architecture.forward(g, inputs, { scope: 'model', mode: 'infer' });
	const whole = { weight: number(1), present: number(1) };
	g.output('logit', forward.fused([whole, { weight: number(weight), present: number(present) }, whole]).logits);
	const session = await createSession(encodeModel({ graph: g.build('presence'), opset: OPSET }));
	const { logit } = await session.run({});
	await session.release();
	return logit!.data[0] as number;
}

describe('a modality that is there with weight 0', () => {
	for (const [name, config] of Object.entries({ crossAttention, fuseMoe }))
		it(`is still looked at by the others, as one that is missing is not: ${name}`, async () => {
			expect(await logitOf(config, 0, 1)).not.toBe(await logitOf(config, 0, 0));
		});

	it('adds nothing to a concatenation, just as one that is missing', async () => {
		expect(await logitOf(concatenation, 0, 1)).toBe(await logitOf(concatenation, 0, 0));
		expect(await logitOf(concatenation, 1, 1)).not.toBe(await logitOf(concatenation, 0, 1));
	});
});
