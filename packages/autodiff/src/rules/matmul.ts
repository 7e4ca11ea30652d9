import { type GraphBuilder, GraphError, staticShape, type Value } from '@steelyard/onnx';
import { product, upTo } from '../axes.js';
import type { RuleContext, Rules } from '../rule.js';

/** The gradients of A·B, both of rank ≥ 2. One matrix B for a whole batch makes each of them one product of matrices, without a transposed copy. */
function matrixGradients(g: GraphBuilder, a: Value, b: Value, dy: Value, needs: readonly boolean[]): (Value | null)[] {
	const isOneProduct = a.shape.length > 2 && b.shape.length === 2 && [...a.shape, ...dy.shape].every((dim) => typeof dim === 'number');
	const flat = (x: Value): Value => g.reshape(x, [product(staticShape(x).slice(0, -1)), staticShape(x).at(-1) as number]);
	const da = () =>
		isOneProduct ? g.reshape(g.gemm(flat(dy), b, null, { transB: true }), a.shape) : g.sumTo(a.shape, g.matMul(dy, g.transposed(b)));
	const db = () => (isOneProduct ? g.gemm(flat(a), flat(dy), null, { transA: true }) : g.sumTo(b.shape, g.matMul(g.transposed(a), dy)));
	return [needs[0] ? da() : null, needs[1] ? db() : null];
}

/** The terms of an Einsum, one letter per axis: those of the inputs and that of the output. '...' becomes letters that the equation does not use. */
function einsumTerms({ node, inputs, y, text }: RuleContext): { terms: string[]; output: string } {
	const equation = text('equation', '').replaceAll(' ', '');
	const [left = '', right] = equation.split('->');
	const spare = spareLetters(equation);
	const named = (term: string): number => term.replace('...', '').length;
	const written = left.split(',');
	const widths = written.map((term, i) => (term.includes('...') ? (inputs[i] as Value).shape.length - named(term) : 0));
	const dots = spare.slice(0, Math.max(...widths));
	const terms = written.map((term, i) => term.replace('...', dots.slice(dots.length - (widths[i] as number)).join('')));
	const letters = [...written.join('').replaceAll('.', '')];
	const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
	const output = right === undefined ? [...dots, ...once].join('') : right.replace('...', dots.join(''));
	if (terms.some((term, i) => term.length !== inputs[i]?.shape.length) || output.length !== y.shape.length)
		throw new GraphError(
			'unsupported_model',
			`the equation "${equation}" of node "${node.name}" (Einsum) does not fit its shapes`,
			node.name,
		);
	return { terms, output };
}

/** Letters that `used` does not hold. */
const spareLetters = (used: string): string[] =>
	[...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter((letter) => !used.includes(letter));

/** An identity matrix. */
const identity = (g: GraphBuilder, x: Value, size: number): Value =>
	g.constant(
		x.dtype,
		[size, size],
		Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
	);

/**
 * The gradient of one operand: the product of dy and the other operands, summed to its letters. A letter that only this operand has was summed over:
 * a vector of ones spreads dy over it. A letter that stands twice in it reads a diagonal: an identity matrix puts dy back there.
 */
function einsumGradient({ inputs, dy, g }: RuleContext, terms: readonly string[], output: string, operand: number): Value {
	const x = inputs[operand] as Value;
	const sizes = staticShape(x);
	const factors: [string, Value][] = [
		[output, dy],
		...terms.flatMap((term, i): [string, Value][] => (i === operand ? [] : [[term, inputs[i] as Value]])),
	];
	const spare = spareLetters([...terms, output].join(''));
	const target = [...(terms[operand] as string)].map((letter, axis, all) => {
		const size = sizes[axis] as number;
		if (all.indexOf(letter) < axis) {
			const second = spare.shift() as string;
			factors.push([letter + second, identity(g, x, size)]);
			return second;
		}
		if (!factors.some(([term]) => term.includes(letter))) factors.push([letter, g.expand(g.scalar(1, x.dtype), [size])]);
		return letter;
	});
	// an axis of size 1 of this operand may have met a longer one of another
	const reached = target.map((letter) =>
		Math.max(...factors.flatMap(([term, value]) => (term.includes(letter) ? [staticShape(value)[term.indexOf(letter)] as number] : []))),
	);
	const equation = `${factors.map(([term]) => term).join(',')}->${target.join('')}`;
	const gradient = g.op(
		'Einsum',
		factors.map(([, value]) => value),
		{ equation },
		{ shape: reached },
	);
	return g.sumTo(x.shape, gradient);
}

export const matmul: Rules = {
	// a vector stands for a matrix of one row on the left, of one column on the right
	MatMul: ({ x: a, second: b, dy, g, needs }) => {
		const row = a.shape.length === 1;
		const column = b.shape.length === 1;
		const left = row ? g.reshape(a, [1, ...a.shape]) : a;
		const right = column ? g.reshape(b, [...b.shape, 1]) : b;
		const batch = dy.shape.slice(0, dy.shape.length - (row ? 0 : 1) - (column ? 0 : 1));
		const matrix = row || column ? g.reshape(dy, [...batch, left.shape.at(-2) as number, right.shape.at(-1) as number]) : dy;
		const [da, db] = matrixGradients(g, left, right, matrix, needs);
		return [da ? g.reshape(da, a.shape) : null, db ? g.reshape(db, b.shape) : null];
	},

	// y = α·A'B' + β·C
	Gemm: ({ x: a, second: b, third: c, dy, g, needs, int, float }) => {
		const alpha = float('alpha', 1);
		const beta = float('beta', 1);
		const transA = int('transA', 0) === 1;
		const transB = int('transB', 0) === 1;
		const da = (): Value =>
			transA ? g.gemm(b, dy, null, { transA: transB, transB: true, alpha }) : g.gemm(dy, b, null, { transB: !transB, alpha });
		const db = (): Value =>
			transB ? g.gemm(dy, a, null, { transA: true, transB: transA, alpha }) : g.gemm(a, dy, null, { transA: !transA, alpha });
		const dc = (bias: Value): Value => {
			const summed = g.sumTo(bias.shape, dy);
			return beta === 1 ? summed : g.scale(beta, summed);
		};
		return [needs[0] ? da() : null, needs[1] ? db() : null, c !== null && needs[2] ? dc(c) : null];
	},

	Einsum: (context) => {
		const { terms, output } = einsumTerms(context);
		return terms.map((_, operand) => (context.needs[operand] ? einsumGradient(context, terms, output, operand) : null));
	},

	// the cofactors: each is the determinant of what is left without its row and column, so that a singular matrix is no exception
	Det: ({ x, dy, g }) => {
		const size = staticShape(x).at(-1) as number;
		const batch = staticShape(x).slice(0, -2);
		const up = (value: Value): Value => g.reshape(value, [...batch, 1, 1]);
		if (size === 1) return [up(dy)];
		const others = g.constant(
			'int64',
			[size, size - 1],
			upTo(size).flatMap((i) => upTo(size).filter((j) => j !== i)),
		);
		const rows = g.op('Gather', [x, others], { axis: -2 }, { shape: [...batch, size, size - 1, size] });
		const minors = g.op('Gather', [rows, others], { axis: -1 }, { shape: [...batch, size, size - 1, size, size - 1] });
		const lead = upTo(batch.length);
		const ordered = g.transpose(minors, [...lead, ...[0, 2, 1, 3].map((axis) => axis + lead.length)]);
		const determinants = g.op('Det', [ordered], {}, { shape: [...batch, size, size] });
		const signs = g.constant(
			x.dtype,
			[size, size],
			upTo(size * size).map((i) => ((Math.floor(i / size) + (i % size)) % 2 === 0 ? 1 : -1)),
		);
		return [g.mul(up(dy), g.mul(determinants, signs))];
	},
};
