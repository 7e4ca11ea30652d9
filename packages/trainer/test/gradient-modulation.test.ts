import { readFileSync } from 'node:fs';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { modulated, modulationFactors } from '../src/step/gradient-modulation.js';
import type { Loss } from '../src/step/loss.js';

type Case = { loss: Loss; alpha: number; logits: number[][]; target: number[]; factors: number[] };
/** Made by test/oracles/gradient_modulation.py with PyTorch. */
const { rows, cases, noise } = JSON.parse(readFileSync(new URL('fixtures/gradient-modulation.json', import.meta.url), 'utf8')) as {
	rows: number;
	cases: Case[];
	noise: { gradient: number[]; noise: number[]; factor: number; modulated: number[] };
};

async function valuesOf(g: GraphBuilder): Promise<Record<string, number[]>> {
	const session = await createSession(encodeModel({ graph: g.build('modulation'), opset: OPSET }));
	const outputs = await session.run({});
	await session.release();
	return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]));
}

describe('OGM-GE', () => {
	for (const { loss, alpha, logits, target, factors } of cases)
		it(`damps what runs ahead as the authors do: ${typeof loss === 'object' ? loss.name : loss}, ${logits.length} modalities, alpha ${alpha}`, async () => {
			const g = new GraphBuilder();
			const value = (data: number[]) =>
				g.initializer(`v${g.fresh('v', 'float32', []).name}`, tensor('float32', [rows, data.length / rows], data));
			const weight = g.constant('float32', [rows, 1], Array(rows).fill(1 / rows));
			const found = modulationFactors(g, { alpha }, logits.map(value), loss, value(target), weight);
			found.forEach((factor, m) => g.output(`k${m}`, factor));
			const values = await valuesOf(g);
			// float32 sums of eight probabilities
			factors.forEach((factor, m) => expect(values[`k${m}`]![0]).toBeCloseTo(factor, 5));
			expect(factors.some((factor) => factor < 1)).toBe(true);
		});

	it('adds noise of the deviation of the gradient', async () => {
		const g = new GraphBuilder();
		const gradient = g.initializer('gradient', tensor('float32', [4, 3], noise.gradient));
		const drawn = g.initializer('noise', tensor('float32', [4, 3], noise.noise));
		g.output('y', modulated(g, gradient, g.scalar(noise.factor), drawn));
		const { y } = await valuesOf(g);
		noise.modulated.forEach((value, i) => expect(y![i]).toBeCloseTo(value, 5));
	});
});
