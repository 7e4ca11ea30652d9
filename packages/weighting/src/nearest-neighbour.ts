/** Points a leaf of the tree holds at most: scanning so few is as cheap as testing two boxes. */
const LEAF_POINTS = 8;

/** The points in the order of the tree, near ones together, and how far each has its k-th neighbour. */
export type Neighbourhoods = {
	readonly x: Float64Array;
	readonly y: Float64Array;
	readonly radius: Float64Array;
};

/**
 * Distance from every point (x[i], y[i]) to its k-th nearest other point under the maximum norm.
 *
 * A k-d tree, split at the median of the wider side, so that clustered and tied points cost no more than spread ones: O(N log N). Each search starts in
 * the point's own leaf and walks up, looking into a sibling only where its bounding box is nearer than the k-th neighbour so far.
 *
 * @param k at least 1 and less than N
 */
export function kthNeighbours(x: Float64Array, y: Float64Array, k: number): Neighbourhoods {
	const { px, py, first, box, leaves } = buildTree(x, y);
	const radius = new Float64Array(x.length);
	const nearest = new Float64Array(k); // ascending; the last is the radius of the search
	const last = k - 1;
	const firstLeaf = leaves - 1;
	const stack = new Int32Array(64); // at most one node waits on each level

	const scan = (leaf: number, self: number, qx: number, qy: number): void => {
		const end = first[leaf - firstLeaf + 1]!;
		for (let j = first[leaf - firstLeaf]!; j < end; j++) {
			const dx = Math.abs(px[j]! - qx);
			const dy = Math.abs(py[j]! - qy);
			const d = dx > dy ? dx : dy;
			if (d >= nearest[last]! || j === self) continue;
			let at = last;
			for (; at > 0 && nearest[at - 1]! > d; at--) nearest[at] = nearest[at - 1]!;
			nearest[at] = d;
		}
	};
	/** Whether the box of a node lies nearer than the k-th neighbour so far. */
	const worthwhile = (node: number, qx: number, qy: number): boolean => {
		const r = nearest[last]!;
		const b = 4 * node;
		return box[b]! - qx < r && qx - box[b + 1]! < r && box[b + 2]! - qy < r && qy - box[b + 3]! < r;
	};

	for (let leaf = firstLeaf; leaf < firstLeaf + leaves; leaf++) {
		for (let i = first[leaf - firstLeaf]!; i < first[leaf - firstLeaf + 1]!; i++) {
			const qx = px[i]!;
			const qy = py[i]!;
			nearest.fill(Infinity);
			scan(leaf, i, qx, qy);
			for (let node = leaf; node > 0; node = (node - 1) >> 1) {
				let depth = 0;
				stack[depth++] = node % 2 === 0 ? node - 1 : node + 1;
				while (depth > 0) {
					const next = stack[--depth]!;
					if (!worthwhile(next, qx, qy)) continue;
					if (next >= firstLeaf) {
						scan(next, i, qx, qy);
					} else {
						stack[depth++] = 2 * next + 1;
						stack[depth++] = 2 * next + 2;
					}
				}
			}
			radius[i] = nearest[last]!;
		}
	}
	return { x: px, y: py, radius };
}

type Tree = {
	/** The points in the order of the leaves. */
	readonly px: Float64Array;
	readonly py: Float64Array;
	/** A power of two: nodes 0 … leaves−2 are inner (children 2n+1 and 2n+2), the next `leaves` are leaves. */
	readonly leaves: number;
	/** First point of each leaf, and the count of all points behind the last. */
	readonly first: Int32Array;
	/** minX, maxX, minY, maxY of each node. */
	readonly box: Float64Array;
};

function buildTree(x: Float64Array, y: Float64Array): Tree {
	const count = x.length;
	const px = x.slice();
	const py = y.slice();
	let leaves = 1;
	while (leaves * LEAF_POINTS < count) leaves *= 2;
	const first = new Int32Array(leaves + 1);
	const box = new Float64Array(4 * (2 * leaves - 1));
	first[leaves] = count;

	const divide = (node: number, from: number, to: number): void => {
		let minX = Infinity;
		let maxX = -Infinity;
		let minY = Infinity;
		let maxY = -Infinity;
		for (let i = from; i < to; i++) {
			const a = px[i]!;
			const b = py[i]!;
			if (a < minX) minX = a;
			if (a > maxX) maxX = a;
			if (b < minY) minY = b;
			if (b > maxY) maxY = b;
		}
		box.set([minX, maxX, minY, maxY], 4 * node);
		if (node >= leaves - 1) {
			first[node - leaves + 1] = from;
			return;
		}
		const middle = (from + to) >> 1;
		if (maxX - minX >= maxY - minY) select(px, py, from, to - 1, middle);
		else select(py, px, from, to - 1, middle);
		divide(2 * node + 1, from, middle);
		divide(2 * node + 2, middle, to);
	};
	divide(0, 0, count);
	return { px, py, leaves, first, box };
}

/** Hoare's selection within [lo, hi]: afterwards keys before `middle` are at most key[middle], and keys behind it at least that. */
function select(key: Float64Array, other: Float64Array, lo: number, hi: number, middle: number): void {
	while (lo < hi) {
		const a = key[lo]!;
		const b = key[(lo + hi) >> 1]!;
		const c = key[hi]!;
		const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
		let i = lo;
		let j = hi;
		while (i <= j) {
			while (key[i]! < pivot) i++;
			while (key[j]! > pivot) j--;
			if (i > j) break;
			const k = key[i]!;
			key[i] = key[j]!;
			key[j] = k;
			const o = other[i]!;
			other[i] = other[j]!;
			other[j] = o;
			i++;
			j--;
		}
		if (middle <= j) hi = j;
		else if (middle >= i) lo = i;
		else return;
	}
}
