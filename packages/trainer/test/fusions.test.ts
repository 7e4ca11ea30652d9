import { readFileSync } from 'node:fs';
import type { MlpFusionConfig } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/layers';
import { optimizer as optimizerOf } from '@steelyard/optim';
import { loadProgram, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { parametersFrom } from '../src/model/parameter-layout.js';
import { compileTrainProgram } from '../src/step/train-program.js';

type Case = { config: MlpFusionConfig; initial: Record<string, number[]>; losses: number[]; final: Record<string, number[]> };
const fixture = JSON.parse(readFileSync(new URL('fixtures/fusions.json', import.meta.url), 'utf8')) as {
	rows: number;
	batch: number;
	steps: number;
	outputs: number;
	learningRate: number;
	modalities: ModalityShape[];
	x: Record<string, number[]>;
	mask: Record<string, number[]>;
	weights: number[];
	y: number[];
	cases: Case[];
};

/** What all steps see, `[steps, batch, …]`: the rows of the fixture in turn. */
function chunk(): Record<string, Tensor> {
	const { rows, batch, steps, outputs, modalities, x, mask, weights, y } = fixture;
	const inputs: Record<string, Tensor> = {};
	const put = (name: string, shape: readonly number[], valueOf: (row: number, i: number) => number): void => {
		const width = sizeOf(shape);
		const data = Float32Array.from({ length: steps * batch * width }, (_, k) => valueOf(Math.floor(k / width) % rows, k % width));
		inputs[`chunk/${name}`] = tensor('float32', [steps, batch, ...shape], data);
	};
	modalities.forEach(({ name, shape, maskedSteps }, m) => {
		put(`x.${name}`, shape, (row, i) => x[name]![row * sizeOf(shape) + i]!);
		if (maskedSteps) put(`mask.${name}`, [shape[0]!], (row, i) => mask[name]![row * shape[0]! + i]!);
		put(`w.${name}`, [1], (row) => weights[row * modalities.length + m]!);
	});
	put('target', [outputs], (row, i) => (y[row] === i ? 1 : 0));
	put('sample_weight', [1], () => 1 / batch);
	return inputs;
}

async function trained({ config, initial }: Case) {
	const { batch, steps, outputs, modalities, learningRate } = fixture;
	const optimizer = optimizerOf({ name: 'adam', weightDecay: 0, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
	const program = await compileTrainProgram({
		architecture: familyArchitecture({ config, modalities, outputs }),
		batch,
		loss: 'cross_entropy',
		optimizer,
		clipNorm: null,
		standardisation: new Map(),
	});
	const state: Record<string, Tensor> = {};
	for (const { name, size, members } of program.layout) {
		state[`state/${name}`] = tensor(
			'float32',
			[1, size],
			members.flatMap((member) => initial[member.name]!),
		);
		for (const slot of optimizer.slots) state[`state/${name}/${slot}`] = tensor('float32', [1, size], new Float32Array(size));
	}
	const places = Array.from({ length: steps }, (_, j) => optimizer.scalarsAt({ step: j + 1, inChunk: j + 1, learningRate }));
	const inputs = chunk();
	for (const name of program.scalars)
		inputs[`chunk/${name}`] = tensor(
			'float32',
			name === 'lossScale' ? [steps] : [steps, 1, 1],
			places.map((place) => place[name]!),
		);
	for (const [slot, factor] of Object.entries(optimizer.afterChunk(steps))) inputs[`after/${slot}`] = tensor('float32', [1, 1], [factor]);
	const loaded = await loadProgram(program.model, state);
	const { loss } = await loaded.run(inputs);
	const parameters = parametersFrom(program.layout, (group) => loaded.state()[`state/${group}`]!.data as Float32Array);
	await loaded.dispose();
	return { losses: loss!.data as Float32Array, parameters };
}

const largestError = (ours: ArrayLike<number>, theirs: number[]): number =>
	theirs.reduce((worst, value, i) => Math.max(worst, Math.abs(ours[i]! - value) / (Math.abs(value) + 0.1)), 0);

describe('training of mlp-fusion on statistics, with modalities left out, follows PyTorch in float64 for 100 steps', () => {
	for (const c of fixture.cases)
		it(`by ${c.config.fusion}`, async () => {
			const { losses, parameters } = await trained(c);
			expect(losses).toHaveLength(c.losses.length);
			// float32 against float64: rounding of some 1e-7 a step, grown over 100 steps
			expect(largestError(losses, c.losses)).toBeLessThan(5e-4);
			expect([...parameters.keys()].sort()).toEqual(Object.keys(c.final).sort());
			for (const [name, value] of parameters) expect(largestError(value.data as Float32Array, c.final[name]!), name).toBeLessThan(5e-3);
		});
});
