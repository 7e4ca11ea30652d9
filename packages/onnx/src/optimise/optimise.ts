import { withoutUnused } from '../bodies.js';
import type { Graph } from '../graph.js';
import { withoutOutputCopies } from '../output-copies.js';
import { fusedProducts } from './fused-products.js';
import { products } from './products.js';
import { withoutRepeats } from './repeats.js';
import { rewritten } from './rewrite.js';
import { shapes } from './shapes.js';

export type OptimiseOptions = {
	/** Whether operators of ONNX Runtime's own may be used, as its CPU provider has them. Default false: standard operators alone. */
	readonly fused?: boolean;
};

/**
 * The same function by fewer passes over memory, for a graph that is run many times, such as a step of training. Its values must be typed. Inputs and outputs keep
 * their names; results differ by rounding alone. In turn: each value is computed once, transpositions and views are put together, transpositions, sums and scales
 * become part of the products of matrices beside them, and what nobody reads is left out. The bodies of Scan, Loop and If stay as they are.
 */
export function optimised(graph: Graph, { fused = false }: OptimiseOptions = {}): Graph {
	let current = withoutRepeats(withoutUnused(graph));
	// a second time, since the first puts together what stood apart, such as a sum and a product with two Reshapes between; a third time found nothing more
	for (let time = 0; time < 2; time++) {
		current = rewritten(current, shapes, 'shapes/');
		current = rewritten(current, products, 'products/');
		if (fused) current = rewritten(current, fusedProducts, 'fused/');
		current = withoutRepeats(current);
	}
	return withoutOutputCopies(withoutUnused(current));
}
