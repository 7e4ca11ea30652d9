import { readFileSync } from 'node:fs';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { expect, it } from 'vitest';
import { differentiate } from '../src/index.js';

type Recorded = { inputs: { shape: number[]; data: number[]; gradient: number[] }[]; output: number[]; r: number[] };

/** The function of a case in ONNX operators, for inputs of its shapes; `shape` is that of its output. */
export type Built = (g: GraphBuilder, inputs: Value[], shape: number[]) => Value;

/** float64 unless ORT has no kernel for it; then float32, whose rounding the second number of the tolerance allows for. */
const TOLERANCE = { float64: [1e-4, 1e-6], float32: [1e-4, 2e-5] } as const;

/** One test a case of a fixture that a script in test/oracles made: our gradients equal those of PyTorch in float64. */
export function equalsPyTorch(file: string, built: Record<string, Built>, float32: readonly string[] = []): void {
	const { cases } = JSON.parse(readFileSync(new URL(`fixtures/${file}`, import.meta.url), 'utf8')) as { cases: Record<string, Recorded> };
	it.each(Object.entries(cases))('the gradients of %s equal those of PyTorch', async (name, { inputs, output, r }) => {
		const dtype = float32.includes(name) ? 'float32' : 'float64';
		const g = new GraphBuilder();
		const values = inputs.map(({ shape }, i) => g.input(`x${i}`, dtype, shape));
		const y = (built[name] as Built)(g, values, output);
		g.output('loss', g.sumAll(g.mul(y, g.constant(dtype, output, r))));
		const wrt = values.map((value) => value.name);
		const { graph, gradients } = differentiate(await canonicalise({ graph: g.build('case'), opset: OPSET }), { loss: 'loss', wrt });
		const backward = GraphBuilder.from(graph, 'test/');
		for (const x of wrt) backward.output(`d_${x}`, gradients.get(x) as Value);
		const session = await createSession(encodeModel({ graph: backward.build('backward'), opset: OPSET }));
		const found = await session.run(Object.fromEntries(inputs.map(({ shape, data }, i) => [`x${i}`, tensor(dtype, shape, data)])));
		await session.release();
		const [relative, absolute] = TOLERANCE[dtype];
		inputs.forEach(({ gradient }, i) => {
			const ours = (found[`d_x${i}`] as Tensor).data;
			expect(ours.length).toBe(gradient.length);
			gradient.forEach((d, j) => expect(Math.abs(Number(ours[j]) - d)).toBeLessThanOrEqual(relative * Math.abs(d) + absolute));
		});
	});
}
