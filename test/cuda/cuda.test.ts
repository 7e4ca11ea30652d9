import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { differentiate } from '@steelyard/autodiff';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value, withCudaForms } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { loadProgram, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { cases } from '../../packages/autodiff/test/cases.js';
import { randomInputs, scalarInputs } from '../../packages/trainer/src/step/chunk-inputs.js';
import { onProvider } from '../../packages/trainer/src/step/on-provider.js';
import { scanProgram } from '../../packages/trainer/src/step/scan-program.js';
import type { Step } from '../../packages/trainer/src/step/step.js';
import type { StepOptions } from '../../packages/trainer/src/step/step-inputs.js';
import { initialState, withZeros } from '../../packages/trainer/src/step/step-state.js';
import { faultsOf, probed, textOf, trainings } from './check.js';
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

/** What the runtime does with sizes, on the host, where they are. */
const OF_SHAPES = ['Concat', 'Gather', 'Unsqueeze'];

/** The copies that are known, by the name of a program. */
const COPIES: Record<string, object[]> = {
	'mmim-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'mmim-moe, convolution and gru': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse-moe, lstm and joint router': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse mmim-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
	'fuse fuse-moe': [ROWS_OF_EXPERTS, ROWS_OF_EXPERTS],
};

/** The most uploads of a step: a Split and a Concat of the small parameters, and of running statistics, have four tables each, and a product of broadcast batches three lists. */
const MOST_UPLOADS = 20;

/** The most kernels that a step of some programs launches: a tenth above what they launched when the table was made. What raises it makes small models slower. */
const MOST_LAUNCHES: Record<string, number> = { 'mlp-fusion': 82, transformer: 250, 'conv net': 110, 'residual net': 180, lstm: 1430 };

/** Operators with gradients that have no CUDA kernel, and that no form replaces. */
const ON_CPU = ['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Col2Im', 'DFT', 'Det', 'MaxUnpool', 'STFT'];

const withoutDepth = ({ to, of, for: readers }: Copy): object => ({ to, of, for: readers });
const byText = (list: readonly object[]): string[] => list.map((one) => JSON.stringify(one)).sort();

const title = `the CUDA provider, over stub libraries of CUDA${where.absent === undefined ? '' : ` (${where.absent})`},`;
describe.skipIf(where.absent !== undefined)(title, () => {
	it('takes the programs of every family, of uploaded graphs, of prediction and of exports whole', async () => {
		const chosen = Object.entries(programs).filter(([name]) => everything || !MORE.test(name));
		const models = await Promise.all(chosen.map(async ([name, { build }]): Promise<Model> => ({ name, ...(await build()) })));
		for (const { name, error, cpu, copies, step } of await place(models)) {
			expect(error, name).toBeNull();
			expect(
				cpu.map(({ op }) => op).filter((op) => !OF_SHAPES.includes(op)),
				name,
			).toEqual([]);
			expect(byText(copies.map(withoutDepth)), name).toEqual(byText(COPIES[name] ?? []));
			expect(
				Object.keys(step).filter((name) => name.endsWith(', blocking')),
				name,
			).toEqual([]);
			expect(calls(step, 'wait'), name).toBe(0);
			expect(calls(step, 'launch'), name).toBeLessThanOrEqual(MOST_LAUNCHES[name] ?? Number.POSITIVE_INFINITY);
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

	it('that computes nothing is not taken for one that trains as the CPU does', async () => {
		const rows = await trainings({ rows: ['lstm'], where, quick: true, peers: false });
		const wrong = faultsOf({ placement: [], rows });
		expect(wrong).toEqual([expect.stringMatching(/^lstm does not train as on the CPU: void: the losses of step 1 are 0\.0+ and 1\./)]);
		expect(rows[0]).not.toHaveProperty('peers.cpu.ms');
	});

	it('is not available where there is no cuDNN, and the probe names it', async () => {
		const folder = await mkdtemp(join(tmpdir(), 'steelyard-without-cudnn-'));
		try {
			await cp(where.stubs as string, folder, { recursive: true });
			await rm(join(folder, 'libcudnn.so.9'));
			expect((await probed(where)).available).toBe(true);
			const without = await probed({ ...where, env: { ...where.env, LD_LIBRARY_PATH: folder } });
			expect(without).toMatchObject({ available: false, note: expect.stringContaining('libcudnn.so.9') });
		} finally {
			await rm(folder, { recursive: true });
		}
	});
});

/** The losses of some steps on the CPU, on data that are drawn. */
async function losses(step: Step, { architecture, optimizer }: StepOptions): Promise<Float32Array> {
	const random = counterRandom(1, 'cuda').uniform;
	const program = await loadProgram(scanProgram(step), withZeros(step, initialState(step, architecture.initial(1, 0))));
	try {
		const ports = step.ports.map(({ name, dtype, shape }): [string, Tensor] => {
			const sizes = [STEPS, step.batch, ...shape];
			return [
				name,
				tensor(
					dtype,
					sizes,
					Float32Array.from({ length: sizeOf(sizes) }, () => (name === 'target' ? 0.1 : random())),
				),
			];
		});
		const drawn = randomInputs(step)({ seed: 1, stream: 0, step: 0 }, STEPS);
		const scalars = scalarInputs(step, optimizer, { step: 0, length: STEPS }, () => 1e-3);
		return (await program.run({ ...Object.fromEntries(ports), ...drawn, ...scalars }))['loss']!.data as Float32Array;
	} finally {
		await program.dispose();
	}
}
const STEPS = 6;

describe('a step in the operators that CUDA has kernels for', () => {
	for (const name of ['unusual operators', 'residual net', 'lstm'] as const)
		it(`trains as the step itself does: ${name}`, async () => {
			const { step, options } = (await programs[name].step()) as unknown as { step: Step; options: StepOptions };
			const changed = onProvider(step, 'cuda');
			expect(changed.graph.nodes).not.toEqual(step.graph.nodes);
			const [plain, other] = [await losses(step, options), await losses(changed, options)];
			expect(new Set(plain).size).toBe(STEPS);
			plain.forEach((loss, i) => expect(Math.abs(other[i]! - loss)).toBeLessThanOrEqual(1e-4 * Math.abs(loss)));
		});
});

describe('what the check says', () => {
	const equal = { ms: 2, losses: 'equal', ratio: 2 };
	const row = { name: 'lstm', title: 'LSTM', ours: { ms: 1 }, peers: { cpu: equal, eager: { absent: 'no Python' } } };
	const placement = [
		{
			name: 'a',
			error: null,
			cpu: [{ op: 'Atan', depth: 1 }],
			copies: [],
			step: { launch: [74, 0], 'copy: host to device': [8, 99] },
			microseconds: 300.4,
		},
	];

	it('is right where losses agree, and names each thing that is wrong', () => {
		expect(faultsOf({ placement, rows: [row] })).toEqual([]);
		const rows = [
			{ ...row, peers: { cpu: { losses: 'void: the losses of step 3 are 1 and 2' } } },
			{ ...row, peers: { cpu: { absent: 'killed' } } },
			{ name: 'lstm', title: 'LSTM', failed: 'ours: no kernel' },
		];
		expect(faultsOf({ placement: [{ ...placement[0], error: 'refused' }], rows })).toEqual([
			'a does not run: refused',
			'lstm does not train as on the CPU: void: the losses of step 3 are 1 and 2',
			'lstm was not compared with the CPU: killed',
			'lstm does not train: ours: no kernel',
		]);
	});

	it('is a report with a line for every row and program', () => {
		const about = { at: '2026', gpu: 'a GPU', machine: { cpu: 'a CPU' }, versions: { node: '20' }, wrong: ['lstm is wrong'] };
		const text = textOf({ ...about, placement, rows: [row, { title: 'ViT', failed: 'out of memory' }] });
		expect(text).toContain('| LSTM | 1.000 ms | 2.000 ms | absent: no Python | – | – |');
		expect(text).toContain('| ViT | failed: out of memory |');
		expect(text).toContain('- lstm is wrong');
		expect(text).toContain('| a | Atan | 74 | 8 | 300 µs |');
	});

	it('is that nothing was checked where there is no GPU, which is no failure', async () => {
		const { available, note } = await probed();
		if (available || note !== 'no GPU found') return;
		const run = fileURLToPath(new URL('run.js', import.meta.url));
		const { stdout } = await promisify(execFile)(process.execPath, [run, '--check', '--json']);
		expect(JSON.parse(stdout)).toMatchObject({ checked: false, available: false, note });
	});
});
