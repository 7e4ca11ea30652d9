import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type DType, tensor } from '@steelyard/runtime';
import { expect, it } from 'vitest';
import { differentiate } from '../src/index.js';

const points = [-4, -1, 0.5, 1, 4];

/** The slopes of an operator at `points`, by its own rule: the graph is not canonicalised, which would expand or fold it. */
async function slopes(op: string, attributes: Record<string, number>, dtype: DType): Promise<number[]> {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [points.length]);
	g.output('loss', g.sumAll(g.op(op, [x], attributes, { dtype })));
	const { graph, gradients } = differentiate(g.build('case'), { loss: 'loss', wrt: ['x'] });
	const backward = GraphBuilder.from(graph, 'test/');
	backward.output('dx', gradients.get('x') as Value);
	const session = await createSession(encodeModel({ graph: backward.build('backward'), opset: OPSET }));
	try {
		return Array.from((await session.run({ x: tensor('float32', [points.length], points) }))['dx']!.data, Number);
	} finally {
		await session.release();
	}
}

const near = (found: number[], slope: (x: number) => number) => points.forEach((x, i) => expect(found[i]).toBeCloseTo(slope(x), 5));

it('a Cast between floats hands the gradient on in the type of its input', async () => {
	near(await slopes('Cast', { to: 11 }, 'float64'), () => 1);
});
