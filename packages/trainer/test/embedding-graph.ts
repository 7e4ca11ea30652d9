import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { tensor } from '@steelyard/runtime';

const IDS = 8;

/**
 * An embedding of ids, which takes those below 8, plus √(x + 1000) of the other modality, each times its weight. With an `offset` the ids are added to before they are
 * looked up, so that inspection does not see which there are.
 */
export function embeddingGraph(offset: boolean): Uint8Array {
	const g = new GraphBuilder();
	const random = counterRandom(6, 'graph');
	const numbers = (name: string, shape: number[]) =>
		g.initializer(
			name,
			tensor(
				'float32',
				shape,
				Float32Array.from({ length: shape.reduce((p, n) => p * n, 1) }, () => random.normal() / 2),
			),
		);
	const ids = g.input('ids', 'int64', ['N', 2]);
	const x = g.input('x', 'float32', ['N', 3]);
	const [wIds, wA] = [g.input('w.ids', 'float32', ['N', 1]), g.input('w.a', 'float32', ['N', 1])];
	const zeros = g.initializer('offset', tensor('int64', [2], BigInt64Array.of(0n, 0n)));
	const places = offset ? g.op('Add', [ids, zeros]) : ids;
	const rows = g.op('Gather', [numbers('table', [IDS, 4]), places], { axis: 0 }, { shape: ['N', 2, 4] });
	const embedded = g.mul(g.reshape(g.reduceSum(rows, [1]), ['N', 4]), wIds);
	const roots = g.mul(g.op('Sqrt', [g.add(x, g.scalar(1000))]), wA);
	g.output('logits', g.add(g.matMul(embedded, numbers('head.ids', [4, 1])), g.matMul(roots, numbers('head.a', [3, 1]))));
	return encodeModel({ graph: g.build('tokens'), opset: OPSET });
}
