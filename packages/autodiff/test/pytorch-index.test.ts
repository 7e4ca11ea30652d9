import type { GraphBuilder, Value } from '@steelyard/onnx';
import { type Built, equalsPyTorch } from './pytorch-fixture.js';

const rows = [0, 3, 3, 2, 1, 0];
const columns = (g: GraphBuilder) => g.constant('int64', [2, 3], [0, 2, 2, 1, 1, 1]);

/** The same functions in ONNX operators, by the name of the case. */
const built: Record<string, Built> = {
	slice: (g, [x], shape) => g.op('Slice', [x!, g.ints([1, 1]), g.ints([3, 6]), g.ints([0, 1]), g.ints([1, 2])], {}, { shape }),
	reverse: (g, [x], shape) => g.op('Slice', [x!, g.ints([-1]), g.ints([-99]), g.ints([1]), g.ints([-3])], {}, { shape }),
	'pad constant': (g, [x], shape) => g.op('Pad', [x!, g.ints([0, 1, 1, 2])], {}, { shape }),
	'pad edge': (g, [x], shape) => g.op('Pad', [x!, g.ints([0, 0, 3, 0, 0, 2])], { mode: 'edge' }, { shape }),
	'pad reflect': (g, [x], shape) => g.op('Pad', [x!, g.ints([0, 0, 3, 0, 0, 2])], { mode: 'reflect' }, { shape }),
	tile: (g, [x], shape) => g.op('Tile', [x!, g.ints([2, 3])], {}, { shape }),
	gather: (g, [x], shape) => g.op('Gather', [x!, g.constant('int64', [2, 3], rows)], { axis: 1 }, { shape }),
	'gather elements': (g, [x], shape) => g.op('GatherElements', [x!, columns(g)], { axis: 1 }, { shape }),
	'gather nd': (g, [x], shape) => g.op('GatherND', [x!, g.constant('int64', [3, 2], [0, 1, -1, -4, 0, 1])], {}, { shape }),
	'scatter elements': (g, [x, u]) => g.op('ScatterElements', [x!, columns(g), u!], { axis: 1, reduction: 'add' }),
	'scatter nd': (g, [x, u]) => g.op('ScatterND', [x!, g.constant('int64', [2, 1], [3, 0]), u!]),
	'top k': (g, [x], shape) => {
		const values: Value = { name: 'values', dtype: 'float64', shape };
		g.node('TopK', [x!, g.ints([2])], [values, { name: 'indices', dtype: 'int64', shape }], { axis: 1 });
		return values;
	},
	'depth to space': (g, [x], shape) => g.op('DepthToSpace', [x!], { blocksize: 2, mode: 'CRD' }, { shape }),
	einsum: (g, inputs, shape) => g.op('Einsum', inputs, { equation: 'bhqd,bhkd->bhqk' }, { shape }),
	'einsum diagonal': (g, inputs, shape) => g.op('Einsum', inputs, { equation: 'iij->j' }, { shape }),
	'matmul vector': (g, inputs, shape) => g.op('MatMul', inputs, {}, { shape }),
};

equalsPyTorch('gradients-index.json', built);
