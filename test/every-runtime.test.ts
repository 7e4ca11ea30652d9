import { readdirSync, readFileSync } from 'node:fs';
import { type ModelConfig, parseJobSpec } from '@steelyard/contracts';
import { differentiateModel } from '@steelyard/model-file';
import { expect, it } from 'vitest';
import { familyArchitecture } from '../packages/trainer/src/model/family-architecture.js';
import { scanProgram } from '../packages/trainer/src/step/scan-program.js';
import { stepOf } from '../packages/trainer/test/training-steps.js';
import { refusedBySomeRuntime } from './every-runtime.js';

const FOLDER = new URL('fixtures/exports/', import.meta.url);

it('loads the gradients of every export, optimised as everybody does', async () => {
	const models: Record<string, Uint8Array> = {};
	for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.onnx'))) {
		const bytes = readFileSync(new URL(file, FOLDER));
		models[file] = (await differentiateModel(bytes, { loss: 'loss' })).bytes;
	}
	expect(await refusedBySomeRuntime(models)).toEqual([]);
});

it('loads the training steps of every family, optimised as everybody does', async () => {
	const modalities = [
		{ name: 'vector', shape: [5], maskedSteps: false },
		{ name: 'masked', shape: [4, 3], maskedSteps: true },
	];
	const families: Record<string, Partial<ModelConfig>> = {
		'mlp-fusion': { hidden: 8 },
		'mlp-fusion by attention': { hidden: 8, fusion: 'cross-attention', heads: 2, dropout: 0.2 },
		'mmim-moe': { family: 'mmim-moe', width: 8, experts: 3, top_k: 2, expert_hidden: 6 },
		'fuse-moe': { family: 'fuse-moe', width: 8, heads: 2, experts: 3, top_k: 2, expert_hidden: 6 },
	};
	const models: Record<string, Uint8Array> = {};
	for (const [title, model] of Object.entries(families)) {
		const { model: config } = parseJobSpec({ dataset: 'ds_1', model });
		if (config.family === 'custom') throw new Error('expected a family');
		for (const recompute of ['none', 'segments'] as const) {
			const architecture = familyArchitecture({ config, modalities, outputs: 3 });
			models[`${title}, recompute ${recompute}`] = scanProgram(
				await stepOf({ architecture, batch: 4, loss: 'cross_entropy', clipNorm: 1, recompute }),
			).bytes;
		}
	}
	expect(await refusedBySomeRuntime(models)).toEqual([]);
});
