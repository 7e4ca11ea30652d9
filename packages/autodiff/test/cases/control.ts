import { type Attributes, GraphBuilder, type Value } from '@steelyard/onnx';
import type { Case } from '../gradient-check.js';

type Type = [dtype: 'float64' | 'int64' | 'bool' | 'float32', shape: number[]];
type Steps = (b: GraphBuilder, inputs: Value[]) => Value[];

let bodies = 0;
/** The graph of a body from its inputs by type and what it makes of them. Its names are its own, also among bodies of one test. */
export function bodyOf(types: readonly Type[], steps: Steps) {
	const b = new GraphBuilder(`body${bodies++}/`);
	const inputs = types.map(([dtype, shape], i) => b.input(`body${bodies}.x${i}`, dtype, shape));
	steps(b, inputs).forEach((value, i) => b.output(`body${bodies}.y${i}`, value));
	return { type: 'graph', value: b.build('body') } as const;
}

let outputs = 0;
/** A node of several outputs, of float64 unless said. */
export function node(g: GraphBuilder, op: string, inputs: (Value | null)[], types: (number[] | Type)[], attributes: Attributes): Value[] {
	const values = types.map((type): Value => {
		const [dtype, shape] = typeof type[0] === 'string' ? (type as Type) : (['float64', type as number[]] as Type);
		return { name: `out${outputs++}`, dtype, shape };
	});
	g.node(op, inputs, values, attributes);
	return values;
}

/** One number that depends on all of these, on each entry differently. */
export const mixed = (g: GraphBuilder, values: Value[]): Value =>
	values
		.map((value, i) => {
			const count = (value.shape as number[]).reduce((a, b) => a * b, 1);
			const factors = Array.from({ length: count }, (_, j) => Math.cos(1 + 3 * i + 0.7 * j));
			return g.sumAll(g.mul(value, g.constant(value.dtype, value.shape as number[], factors)));
		})
		.reduce((sum, one) => g.add(sum, one));

const tanh = (g: GraphBuilder, x: Value): Value => g.op('Tanh', [x]);

/** h' = tanh(h·w + x), which stands in most cases: what it gives is h' and h'·h. */
const cell =
	(w: Value): Steps =>
	(b, [h, x]) => {
		const next = tanh(b, b.add(b.gemm(h!, w), x!));
		return [next, b.mul(next, h!)];
	};

const positive = (g: GraphBuilder, x: Value, limit = 0): Value =>
	g.op('Greater', [g.sumAll(x), g.scalar(limit, 'float64')], {}, { dtype: 'bool', shape: [] });

const scans: Case[] = [
	// all outputs, the final one alone, the stack alone
	...[[0, 1], [0], [1]].map(
		(used): Case => ({
			shapes: [
				[2, 3],
				[4, 2, 3],
				[3, 3],
			],
			build: (g, [h, x, w]) => {
				const body = bodyOf(
					[
						['float64', [2, 3]],
						['float64', [2, 3]],
					],
					cell(w!),
				);
				const y = node(
					g,
					'Scan',
					[h!, x!],
					[
						[2, 3],
						[4, 2, 3],
					],
					{ body, num_scan_inputs: 1 },
				);
				return mixed(
					g,
					used.map((i) => y[i]!),
				);
			},
		}),
	),
	// two states that cross over, a count, axes and directions, a stack used twice, a scan input that the body does not use
	{
		shapes: [[2], [2], [2, 3], [2, 3], [3]],
		build: (g, [p, q, x, z, unused]) => {
			const steps: Steps = (b, [p, q, n, x, z]) => {
				const count = b.op('Cast', [n!], { to: 11 }, { dtype: 'float64' });
				const next = b.mul(b.add(p!, b.mul(x!, q!)), count);
				return [q!, tanh(b, next), b.add(n!, b.constant('int64', [], [1])), b.mul(next, b.mul(z!, z!)), b.exp(p!), q!];
			};
			const state: Type = ['float64', [2]];
			const body = bodyOf([state, state, ['int64', []], state, state, ['float64', []]], steps);
			const y = node(
				g,
				'Scan',
				[p!, q!, g.constant('int64', [], [1]), x!, z!, unused!],
				[[2], [2], ['int64', []], [2, 3], [3, 2], [2, 3]],
				{
					body,
					num_scan_inputs: 3,
					scan_input_axes: [1, -1, 0],
					scan_input_directions: [0, 1, 1],
					scan_output_axes: [-1, 0, 1],
					scan_output_directions: [1, 0, 1],
				},
			);
			return mixed(g, [y[0]!, y[1]!, y[3]!, y[4]!, y[5]!]);
		},
	},
	// no state: a map over slices, with a captured value that a constant and a bias are made of
	{
		shapes: [[3, 2], [2]],
		build: (g, [x, bias]) => {
			const body = bodyOf([['float64', [2]]], (b, [x]) => [b.add(b.mul(x!, x!), b.mul(bias!, b.scalar(2, 'float64')))]);
			return node(g, 'Scan', [x!], [[3, 2]], { body, num_scan_inputs: 1 })[0]!;
		},
	},
	// a captured matrix in products of every form, transposed or not, of states and of slices from either end along either axis, and in something else too
	{
		shapes: [
			[2, 3],
			[4, 2, 3],
			[2, 4, 3],
			[3, 3],
		],
		range: [-0.4, 0.4],
		build: (g, [h, x, z, w]) => {
			const slice: Type = ['float64', [2, 3]];
			const body = bodyOf([slice, slice, slice], (b, [h, x, z]) => {
				const turned = b.transposed(w!);
				const terms = [
					b.gemm(h!, w!, null, { alpha: 0.7 }),
					b.gemm(x!, w!, null, { transB: true }),
					b.scale(0.5, b.matMul(z!, turned)),
					b.transposed(b.matMul(turned, b.transposed(z!))),
					b.transposed(b.gemm(w!, tanh(b, x!), null, { transA: true, transB: true })),
					b.mul(z!, b.sumAll(b.mul(w!, w!))),
				];
				const next = tanh(
					b,
					terms.reduce((sum, term) => b.add(sum, term)),
				);
				return [next, b.mul(next, b.matMul(h!, w!))];
			});
			const y = node(
				g,
				'Scan',
				[h!, x!, z!],
				[
					[2, 3],
					[4, 2, 3],
				],
				{ body, num_scan_inputs: 2, scan_input_axes: [0, 1], scan_input_directions: [1, 0] },
			);
			return mixed(g, y);
		},
	},
	// a linear step: its gradient reads nothing of the steps
	{
		shapes: [[2], [3]],
		build: (g, [s, x]) => {
			const body = bodyOf(
				[
					['float64', [2]],
					['float64', []],
				],
				(b, [s]) => [b.scale(0.5, s!)],
			);
			return node(g, 'Scan', [s!, x!], [[2]], { body, num_scan_inputs: 1 })[0]!;
		},
	},
	// a Scan in a Scan, both reading w; the inner one walks over columns
	{
		shapes: [[2], [3, 2, 4], [2]],
		build: (g, [s, x, w]) => {
			const state: Type = ['float64', [2]];
			const outer: Steps = (b, [s, row]) => {
				const inner = bodyOf([state, state], (c, [t, column]) => {
					const next = tanh(c, c.add(c.mul(t!, w!), c.mul(column!, s!)));
					return [next, c.mul(next, t!)];
				});
				const [last, all] = node(b, 'Scan', [s!, row!], [[2], [2, 4]], {
					body: inner,
					num_scan_inputs: 1,
					scan_input_axes: [1],
					scan_output_axes: [1],
					scan_input_directions: [1],
				});
				return [b.mul(last!, w!), b.mul(all!, all!)];
			};
			const body = bodyOf([state, ['float64', [2, 4]]], outer);
			return mixed(g, node(g, 'Scan', [s!, x!], [[2], [3, 2, 4]], { body, num_scan_inputs: 1 }));
		},
	},
	// an If in a Scan, on a condition of each step
	{
		shapes: [[2], [4, 2], [2]],
		range: [0.2, 1],
		build: (g, [s, x, w]) => {
			const body = bodyOf(
				[
					['float64', [2]],
					['float64', [2]],
				],
				(b, [s, x]) => {
					const doubled = b.mul(x!, s!);
					const [y] = node(b, 'If', [positive(b, x!, 1.2)], [[2]], {
						then_branch: bodyOf([], (c) => [c.mul(doubled, w!)]),
						else_branch: bodyOf([], (c) => [tanh(c, c.add(doubled, s!))]),
					});
					return [y!, b.mul(y!, y!)];
				},
			);
			return mixed(g, node(g, 'Scan', [s!, x!], [[2], [4, 2]], { body, num_scan_inputs: 1 }));
		},
	},
	// an operator that is written as others, around a body, in it, and in the branches within
	{
		shapes: [[3, 2]],
		dtype: 'float32',
		range: [0.2, 1],
		build: (g, [x]) => {
			const mish = (b: GraphBuilder, value: Value): Value => b.op('Mish', [value]);
			const row: Type = ['float32', [2]];
			const body = bodyOf([row], (b, [s]) => {
				const condition = b.op('Greater', [b.sumAll(s!), b.scalar(0)], {}, { dtype: 'bool', shape: [] });
				const inner = mish(b, s!);
				return node(b, 'If', [condition], [row], {
					then_branch: bodyOf([], (c) => [mish(c, inner)]),
					else_branch: bodyOf([], (c) => [mish(c, s!)]),
				});
			});
			return node(g, 'Scan', [mish(g, x!)], [['float32', [3, 2]]], { body, num_scan_inputs: 1 })[0]!;
		},
	},
];

/** Two branches of which the second does not use w and uses x otherwise; the condition is made of x. */
const branches = (limit: number): Case => ({
	shapes: [[2, 3], [3]],
	range: [0.2, 1],
	build: (g, [x, w]) => {
		const y = node(g, 'If', [positive(g, x!, limit)], [[2, 3], [2]], {
			then_branch: bodyOf([], (b) => {
				const a = b.mul(x!, w!);
				return [tanh(b, a), b.reduceSum(b.mul(a, a), [1], false)];
			}),
			else_branch: bodyOf([], (b) => [b.exp(x!), b.reduceSum(x!, [1], false)]),
		});
		return mixed(g, y);
	},
});

const ifs: Case[] = [
	branches(-100),
	branches(100),
	// a Scan in an If in an If
	{
		shapes: [[2], [4, 2], [2]],
		build: (g, [s, x, w]) => {
			const inner = (c: GraphBuilder): Value[] => {
				const body = bodyOf(
					[
						['float64', [2]],
						['float64', [2]],
					],
					(d, [s, x]) => {
						const next = tanh(d, d.add(d.mul(s!, w!), x!));
						return [next, d.mul(next, s!)];
					},
				);
				return node(c, 'Scan', [s!, x!], [[2], [4, 2]], { body, num_scan_inputs: 1 });
			};
			const [y] = node(g, 'If', [positive(g, x!, -100)], [[]], {
				then_branch: bodyOf([], (b) => {
					const then = node(b, 'If', [positive(b, s!, 100)], [[2], [4, 2]], {
						then_branch: bodyOf([], (c) => [c.mul(s!, s!), c.mul(x!, x!)]),
						else_branch: bodyOf([], inner),
					});
					return [mixed(b, then)];
				}),
				else_branch: bodyOf([], (b) => [b.sumAll(s!)]),
			});
			return y!;
		},
	},
];

const loop = (steps: Steps, cond: 'none' | 'true'): Case => ({
	shapes: [[2], [2]],
	build: (g, [v, w]) => {
		const body = bodyOf(
			[
				['int64', []],
				['bool', []],
				['float64', [2]],
			],
			(b, [i, c, v]) => steps(b, [i!, c!, v!, w!]),
		);
		const condition = cond === 'none' ? null : g.constant('bool', [], [1]);
		return mixed(g, node(g, 'Loop', [g.constant('int64', [], [3]), condition, v!], [[2], [3, 2]], { body }));
	},
});

const loops: Case[] = [
	// the number of the iteration is part of the step
	loop((b, [i, c, v, w]) => {
		const count = b.op('Cast', [i!], { to: 11 }, { dtype: 'float64' });
		return [c!, tanh(b, b.mul(v!, b.add(w!, count))), b.mul(v!, v!)];
	}, 'true'),
	loop((b, [, , v, w]) => [b.constant('bool', [], [1]), b.mul(v!, w!), b.exp(v!)], 'none'),
	// a Loop in the body of a Scan
	{
		shapes: [[2], [3, 2]],
		build: (g, [s, x]) => {
			const body = bodyOf(
				[
					['float64', [2]],
					['float64', [2]],
				],
				(b, [s, x]) => {
					const inner = bodyOf(
						[
							['int64', []],
							['bool', []],
							['float64', [2]],
						],
						(c, [, going, v]) => [going!, tanh(c, c.add(v!, x!))],
					);
					return node(b, 'Loop', [b.constant('int64', [1], [2]), b.constant('bool', [], [1]), s!], [[2]], { body: inner });
				},
			);
			return node(g, 'Scan', [s!, x!], [[2]], { body, num_scan_inputs: 1 })[0]!;
		},
	},
];

export const controlCases: Record<string, Case[]> = { Scan: scans, If: ifs, Loop: loops };
