import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { type OptimizerOptions, optimizer } from '../src/index.js';
import { afterSteps, afterStepsInPlace, largestDifference } from './steps.js';

const options: OptimizerOptions = { name: 'sgd', weightDecay: 0, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const random = counterRandom(3, 'problem');
const initial = Float32Array.from({ length: 200 }, () => random.normal());
const gradients = Array.from({ length: 300 }, () => Float32Array.from(initial, () => random.normal()));
const learningRate = 0.01;

/** torch.optim.SGD in float64. */
function reference({ name, weightDecay, momentum }: OptimizerOptions): Float64Array {
	const p = Float64Array.from(initial);
	const buffer = new Float64Array(p.length);
	for (const gradient of gradients)
		for (let i = 0; i < p.length; i++) {
			const g = gradient[i]! + weightDecay * p[i]!;
			buffer[i] = name === 'momentum' ? momentum * buffer[i]! + g : g;
			p[i] = p[i]! - learningRate * buffer[i]!;
		}
	return p;
}

describe('gradient descent', () => {
	for (const changed of [
		{ name: 'sgd' },
		{ name: 'sgd', weightDecay: 0.1 },
		{ name: 'momentum' },
		{ name: 'momentum', weightDecay: 0.1, momentum: 0.5 },
		{ name: 'momentum', momentum: 0 },
	] as const)
		it(`${JSON.stringify(changed)} is PyTorch's in float64 to rounding, in chunks of any size and in place`, async () => {
			const chosen = { ...options, ...changed };
			// 300 additions of float32 to numbers of about 1: 300 half units of 6e-8 at the very most
			for (const chunks of [[100], [1, 17], [300]])
				expect(
					largestDifference(await afterSteps(optimizer(chosen), { initial, gradients, learningRate, chunks }), reference(chosen)),
				).toBeLessThan(2e-5);
			const inPlace = afterStepsInPlace(optimizer(chosen), { initial, gradients, learningRate });
			expect(largestDifference(inPlace, reference(chosen)), 'in place').toBeLessThan(2e-5);
		});

	it('keeps nothing beside the parameters without momentum', () => {
		expect(optimizer(options).slots).toEqual([]);
		expect(optimizer({ ...options, name: 'momentum' }).slots).toEqual(['buffer']);
	});
});
