import { differentiate } from '@steelyard/autodiff';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value, withCudaForms } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { cases } from '../../packages/autodiff/test/cases.js';
import { toFloat32 } from './float32.js';
import { placementsOf } from './placement.js';
import { programs } from './programs.js';
import { standIn } from './stand-in.js';

const where = await standIn();
/** Everything with STEELYARD_CUDA=all in the environment; else one form of each family and one use of each operator. */
const everything = process.env['STEELYARD_CUDA'] === 'all';
const MORE = /tensor|gated|late-average|joint|frozen|multiclass|momentum/;

type Counts = Readonly<Record<string, [calls: number, bytes: number]>>;
type Copy = { depth: number; to: string; of: string; for: string[] };
type Row = { name: string; error: string | null; cpu: Array<{ op: string; depth: number }>; copies: Copy[]; run: Counts; step: Counts };
type Model = { name: string; bytes: Uint8Array; optimisation: string };

const place = (models: readonly Model[]): Promise<Row[]> => placementsOf(models, where);
const calls = (counts: Counts, kind: string): number =>
	Object.entries(counts).reduce((sum, [name, [n]]) => (name.startsWith(kind) ? sum + n : sum), 0);

/** The numbers of rows of the experts, by which a Split on the host cuts: one copy and one wait a layer. */
const ROWS_OF_EXPERTS = { to: 'host', of: 'ReduceSum', for: ['Split'] };
/** Sizes that follow from the number of rows of a run. */
const SIZES = { to: 'device', of: 'Shape', for: ['Mod'] };

/** The copies that are known, by the name of a program. */
const COPIES: Record<string, object[]> = {
	'mmim-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'mmim-moe, convolution and gru': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse-moe, lstm and joint router': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse mmim-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS, SIZES, SIZES],
	'fuse fuse-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS, SIZES, SIZES],
};

/** The most uploads of a step: a Split and a Concat of the small parameters, and of running statistics, have four tables each, and a product of broadcast batches three lists. */
const MOST_UPLOADS = 20;

/** Operators with gradients that have no CUDA kernel, and that no form replaces. */
const ON_CPU = ['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Col2Im', 'DFT', 'Det', 'MaxUnpool', 'STFT'];

const withoutDepth = ({ depth: _, ...copy }: Copy): object => copy;
const byText = (list: readonly object[]): string[] => list.map((one) => JSON.stringify(one)).sort();

if (where.absent !== undefined) it.skip(`the CUDA provider: ${where.absent}`, () => undefined);

describe.skipIf(where.absent !== undefined)('the CUDA provider, over stub libraries of CUDA,', () => {
	it('takes the programs of every family, of uploaded graphs, of prediction and of exports whole', async () => {
		const chosen = Object.entries(programs).filter(([name]) => everything || !MORE.test(name));
		const models = await Promise.all(chosen.map(async ([name, { build }]): Promise<Model> => ({ name, ...(await build()) })));
		for (const { name, error, cpu, copies, step } of await place(models)) {
			expect(error, name).toBeNull();
			// the runtime works out shapes on the host
			expect(
				cpu.map(({ op }) => op).filter((op) => op !== 'Concat'),
				name,
			).toEqual([]);
			expect(byText(copies.map(withoutDepth)), name).toEqual(byText(COPIES[name] ?? []));
			expect(calls(step, 'wait'), name).toBe(0);
			expect(calls(step, 'copy: device to host'), name).toBe(0);
			expect(calls(step, 'copy: host to device'), name).toBeLessThanOrEqual(MOST_UPLOADS);
		}
	}, 240_000);

	it('runs the gradients of every operator, those without a kernel on the CPU', async () => {
		const models: Model[] = [];
		for (const [operator, uses] of Object.entries(cases))
			for (const [i, { shapes, build, dtype = 'float64', opset = OPSET, canonical = true }] of uses
				.slice(0, everything ? uses.length : 1)
				.entries()) {
				const g = new GraphBuilder();
				const inputs = shapes.map((shape, k) => g.input(`x${k}`, dtype, shape));
				g.output('loss', g.sumAll(build(g, inputs)));
				const model = { graph: g.build('case'), opset };
				const wrt = inputs.map(({ name }) => name);
				const { graph, gradients } = differentiate(canonical ? await canonicalise(model) : model.graph, { loss: 'loss', wrt });
				const backward = GraphBuilder.from(graph, 'test/');
				for (const name of wrt) backward.output(`d_${name}`, gradients.get(name) as Value);
				const changed = withCudaForms(toFloat32(backward.build('backward')));
				models.push({ name: `${operator} ${i}`, bytes: encodeModel({ graph: changed, opset: OPSET }), optimisation: 'disabled' });
			}
		const rows = await place(models);
		// what Compress finds depends on numbers, which nothing here computes
		expect(rows.filter(({ name, error }) => error !== null && !name.startsWith('Compress'))).toEqual([]);
		const moved = new Set(rows.flatMap(({ cpu }) => cpu.map(({ op }) => op)));
		// of LpPool only the windows that an average cannot have
		expect([...moved].sort()).toEqual([...ON_CPU, ...(everything ? ['LpPool'] : [])].sort());
	}, 240_000);

	it('is seen to leave nodes to the CPU, and to copy for them', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [4, 4]);
		g.output('y', g.op('Relu', [g.op('Atan', [g.op('Relu', [x])])]));
		const [row] = await place([{ name: 'atan', bytes: encodeModel({ graph: g.build('atan'), opset: OPSET }), optimisation: 'disabled' }]);
		expect(row).toMatchObject({ error: null, cpu: [{ op: 'Atan', depth: 0 }] });
		expect(row?.copies).toEqual([
			{ depth: 0, to: 'host', of: 'Relu', for: ['Atan'] },
			{ depth: 0, to: 'device', of: 'Atan', for: ['Relu'] },
		]);
		expect(calls(row?.run ?? {}, 'wait')).toBeGreaterThan(0);
	});

	it('is seen to refuse what it cannot do', async () => {
		const g = new GraphBuilder();
		const [x, ...statistics] = [g.input('x', 'float32', [4, 3]), ...['a', 'b', 'c', 'd'].map((name) => g.input(name, 'float32', [3]))];
		const outputs = [g.fresh('y', 'float32', [4, 3]), g.fresh('mean', 'float32', [3]), g.fresh('variance', 'float32', [3])];
		g.node('BatchNormalization', [x as Value, ...statistics], outputs, { training_mode: 1 });
		outputs.forEach((value, i) => g.output(`out${i}`, value));
		const [row] = await place([{ name: 'norm', bytes: encodeModel({ graph: g.build('norm'), opset: OPSET }), optimisation: 'disabled' }]);
		expect(row?.error).toMatch(/Training mode does not support BN/);
	});
});
