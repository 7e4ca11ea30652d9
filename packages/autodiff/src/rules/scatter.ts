import { type GraphBuilder, GraphError, positiveAxis, staticShape, type Value } from '@steelyard/onnx';
import { product } from '../axes.js';
import { compare, isZero, oneWhere, productOfOthers, withoutZeros } from '../choose.js';
import type { Rule, RuleContext, Rules } from '../rule.js';
import { sliceNumbers } from './index-of-values.js';

/** A scatter along an axis: `updates` are put to the places of `data` that `indices`, of their shape, name along `axis`. */
type Scatter = { g: GraphBuilder; data: Value; axis: number; indices: Value; updates: Value; y: Value; dy: Value };

const gathered = ({ indices, axis, g }: Scatter, from: Value): Value =>
	g.op('GatherElements', [from, indices], { axis }, { shape: indices.shape });

const scattered = ({ indices, axis, g }: Scatter, onto: Value, updates: Value, reduction: string): Value =>
	g.op('ScatterElements', [onto, indices, updates], { axis, reduction });

/** The gradients of data and updates, by `reduction`. */
const gradients: Readonly<Record<string, (scatter: Scatter) => [Value, Value]>> = {
	// an entry that was replaced gets none
	none: (scatter) => {
		const { g, updates, dy } = scatter;
		return [scattered(scatter, dy, g.expand(g.scalar(0, dy.dtype), staticShape(updates)), 'none'), gathered(scatter, dy)];
	},
	add: (scatter) => [scatter.dy, gathered(scatter, scatter.dy)],
	// y is a product of an entry and its updates
	mul: (scatter) => {
		const { g, data, updates, dy } = scatter;
		const zero = (x: Value): Value => oneWhere(g, isZero(g, x), x);
		const nonzero = scattered(scatter, withoutZeros(g, data), withoutZeros(g, updates), 'mul');
		const zeros = scattered(scatter, zero(data), zero(updates), 'add');
		return [
			g.mul(dy, productOfOthers(g, data, nonzero, zeros)),
			g.mul(gathered(scatter, dy), productOfOthers(g, updates, gathered(scatter, nonzero), gathered(scatter, zeros))),
		];
	},
	max: extreme,
	min: extreme,
};

/** The entry and the updates that equal the extreme share its gradient equally, as in PyTorch's scatter_reduce. */
function extreme(scatter: Scatter): [Value, Value] {
	const { g, data, updates, y, dy } = scatter;
	const hits = oneWhere(g, compare(g, 'Equal', data, y), dy);
	const updateHits = oneWhere(g, compare(g, 'Equal', updates, gathered(scatter, y)), dy);
	const share = g.div(dy, scattered(scatter, hits, updateHits, 'add'));
	return [g.mul(hits, share), g.mul(updateHits, gathered(scatter, share))];
}

function gradientsOf({ node, text }: RuleContext, scatter: Scatter): [Value, Value] {
	const reduction = text('reduction', 'none');
	const rule = Object.hasOwn(gradients, reduction) ? gradients[reduction] : undefined;
	if (rule === undefined)
		throw new GraphError(
			'unsupported_model',
			`node "${node.name}" (${node.op}) has the reduction "${reduction}", expected one of ${Object.keys(gradients).join(', ')}`,
			node.name,
		);
	return rule(scatter);
}

const scatterElements: Rule = (context) => {
	const { x: data, second: indices, third: updates, y, dy, g, int } = context;
	const axis = positiveAxis(int('axis', 0), data.shape.length);
	const [ddata, dupdates] = gradientsOf(context, { g, data, axis, indices, updates: updates as Value, y, dy });
	return [ddata, null, dupdates];
};

/** Slices instead of entries: with all indexed axes as one, and all others as another, a scatter along the first. */
const scatterND: Rule = (context) => {
	const { x: data, second: indices, third, y, dy, g } = context;
	const updates = third as Value;
	const sizes = staticShape(data);
	const depth = staticShape(indices).at(-1) as number;
	const [slices, size] = [product(sizes.slice(0, depth)), product(sizes.slice(depth))];
	const numbers = sliceNumbers(g, data, indices, 0);
	const count = product(staticShape(numbers));
	const flat = (x: Value): Value => g.reshape(x, [slices, size]);
	const [ddata, dupdates] = gradientsOf(context, {
		g,
		data: flat(data),
		axis: 0,
		indices: g.expand(g.reshape(numbers, [count, 1]), [count, size]),
		updates: g.reshape(updates, [count, size]),
		y: flat(y),
		dy: flat(dy),
	});
	return [g.reshape(ddata, data.shape), null, g.reshape(dupdates, updates.shape)];
};

export const scatter: Rules = { ScatterElements: scatterElements, ScatterND: scatterND };
