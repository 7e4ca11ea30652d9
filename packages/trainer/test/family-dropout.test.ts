import type { MlpFusionConfig } from '@steelyard/contracts';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import type { ForwardMode } from '../src/model/architecture.js';
import { drawPool, drawRows, POOL_ROWS, POOL_WIDTH } from '../src/model/dropout-pool.js';
import { familyArchitecture } from '../src/model/family-architecture.js';

const WIDTH = 50;
const BATCH = 40;
const PLACE = { seed: 1, stream: 0, step: 0 };

/** One modality and one linear layer each for encoder and head, both the identity: what comes out of ones is the product of the masks. */
const architectureOf = (rates: Pick<MlpFusionConfig, 'dropout' | 'input_dropout'>) =>
	familyArchitecture({
		config: { family: 'mlp-fusion', hidden: WIDTH, encoder_layers: 1, head_layers: 1, ...rates },
		modalities: [{ name: 'a', shape: [WIDTH], maskedSteps: false }],
		outputs: WIDTH,
	});

async function outOfOnes(rates: Parameters<typeof architectureOf>[0], place = PLACE, mode: ForwardMode = 'train'): Promise<number[]> {
	const architecture = architectureOf(rates);
	const sites = mode === 'train' ? architecture.dropouts(BATCH) : [];
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [BATCH, WIDTH]);
	const weight = g.input('w', 'float32', [BATCH, 1]);
	const unit = g.constant(
		'float32',
		[WIDTH, WIDTH],
		Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => (i % (WIDTH + 1) === 0 ? 1 : 0)),
	);
	const none = g.constant('float32', [WIDTH], new Float32Array(WIDTH));
	const random = {
		pool: g.input('pool', 'float32', [POOL_ROWS, POOL_WIDTH]),
		rows: sites.map((count, i) => g.input(`rows.${i}`, 'int64', [count])),
	};
	const inputs = { x: () => x, mask: () => x, parameter: (name: string) => (name.endsWith('.bias') ? none : unit) };
	const forward = architecture.forward(g, mode === 'train' ? { ...inputs, random } : inputs, { scope: 'model', mode });
	g.output('y', forward.fused([{ weight, present: weight }]).logits);
	const session = await createSession(encodeModel({ graph: g.build('step'), opset: OPSET }));
	const ones = (width: number) => tensor('float32', [BATCH, width], new Float32Array(BATCH * width).fill(1));
	const rows = drawRows(place, 1, sites).map((drawn, i) => [`rows.${i}`, { ...drawn, shape: [sites[i]!] }]);
	const said = await session.run({ x: ones(WIDTH), w: ones(1), pool: drawPool(place), ...Object.fromEntries(rows) });
	await session.release();
	return [...(said['y']!.data as Float32Array)];
}

describe('dropout of mlp-fusion', () => {
	it('keeps numbers with the chance that its rate leaves and scales them, at the inputs and in hidden layers', async () => {
		for (const [rates, kept] of [
			[{ input_dropout: 0.3 }, 0.7],
			[{ dropout: 0.3 }, 0.7],
			[{ input_dropout: 0.3, dropout: 0.3 }, 0.49],
		] as const) {
			const values = await outOfOnes(rates);
			for (const value of values) expect(value === 0 || Math.abs(value * kept - 1) < 1e-6).toBe(true);
			// 2,000 draws: the deviation of the share is 0.011
			expect(Math.abs(values.filter((value) => value !== 0).length / values.length - kept)).toBeLessThan(0.05);
		}
	});

	it('draws the same for the same seed, model and step, and else another', async () => {
		const first = await outOfOnes({ dropout: 0.5 });
		expect(await outOfOnes({ dropout: 0.5 })).toEqual(first);
		for (const other of [{ seed: 2 }, { stream: 1 }, { step: 1 }])
			expect(await outOfOnes({ dropout: 0.5 }, { ...PLACE, ...other })).not.toEqual(first);
	});

	it('is off where the model predicts', async () => {
		const values = await outOfOnes({ dropout: 0.5, input_dropout: 0.5 }, PLACE, 'infer');
		expect(values).toEqual(new Array(BATCH * WIDTH).fill(1));
	});

	it('stands behind the ReLU of every hidden layer, and draws nothing at a rate of 0', () => {
		const sitesOf = (more: Partial<MlpFusionConfig>) =>
			familyArchitecture({
				config: { family: 'mlp-fusion', hidden: POOL_WIDTH, encoder_layers: 3, head_layers: 2, ...more },
				modalities: [
					{ name: 'a', shape: [POOL_WIDTH], maskedSteps: false },
					{ name: 'b', shape: [3, POOL_WIDTH], maskedSteps: true },
				],
				outputs: 2,
			}).dropouts(8);
		expect(sitesOf({})).toEqual([]);
		// rows of the pool are rows of 64 numbers: of `a`, of each of 3 steps of `b`, twice each; of both embeddings; of the head
		expect(sitesOf({ dropout: 0.5 })).toEqual([8, 8, 24, 24, 16, 8]);
		expect(sitesOf({ dropout: 0.5, fusion: 'gated' })).toEqual([8, 8, 24, 24, 8, 8, 8]);
		expect(sitesOf({ input_dropout: 0.5 })).toEqual([8, 24]);
		expect(sitesOf({ input_dropout: 0.5, pooling: 'statistics' })).toEqual([8, 32]);
	});
});
