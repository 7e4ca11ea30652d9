import { readFileSync } from 'node:fs';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { differentiateModel, inspectModel } from '../src/index.js';

/** A network at several operator sets, and PyTorch's numbers. Made by test/oracles/older_network.py. */
const { x, loss, gradients, models } = JSON.parse(readFileSync(new URL('fixtures/older-network.json', import.meta.url), 'utf8')) as {
	x: number[];
	loss: number;
	gradients: Record<string, number[]>;
	models: Record<string, string>;
};

describe.each(Object.entries(models))('a network of operator set %s', (opset, text) => {
	const bytes = Buffer.from(text, 'base64');

	it('can be trained', async () => {
		const { opset: found, blockers } = await inspectModel(bytes);
		expect({ found, blockers }).toEqual({ found: Number(opset), blockers: [] });
	});

	it("has PyTorch's loss and gradients", async () => {
		const made = await differentiateModel(bytes, { loss: 'loss', dims: { N: 2 } });
		const session = await createSession(made.bytes, { optimisation: 'all' });
		const found = await session.run({ x: tensor('float32', [2, 3, 8, 8], x) });
		await session.release();
		expect(found['loss']!.data[0]).toBeCloseTo(loss, 5);
		expect(made.wrt.toSorted()).toEqual(Object.keys(gradients).toSorted());
		for (const [name, wanted] of Object.entries(gradients)) {
			const scale = Math.max(...wanted.map(Math.abs));
			wanted.forEach((value, i) => {
				// sums over 128 places, in float32
				expect(Math.abs(Number(found[`grad/${name}`]!.data[i]) - value), `${name}[${i}]`).toBeLessThan(1e-5 * scale);
			});
		}
	});
});
