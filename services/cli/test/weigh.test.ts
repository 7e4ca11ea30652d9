import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNumberTable } from '@steelyard/dataset';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { weigh } from '../src/commands/weigh.js';
import { run } from './command.js';
import { npyFile } from './npy-file.js';

type Summary = { mean: number; min: number; max: number; p10: number; p90: number };
type Weighed = {
	modalities: string[];
	divergence: Record<string, Summary | null>;
	mutual_information: Record<string, number>;
	weights: number[][];
	statistics?: Statistics;
};
type Statistics = {
	prior: number[];
	temperature: number[];
	gamma: number;
	epsilon: number;
	sigma?: number[];
	grid?: { from: number; to: number; count: number };
};
type Case = {
	task: string;
	flags: string[];
	masked: boolean;
	divergence: Summary[];
	mutual_information: number[];
	weights: number[][];
	statistics: Statistics | null;
};

// Saved by NumPy, weighed by NumPy, SciPy and scikit-learn: test/oracles/weigh.py.
const FIXTURES = fileURLToPath(new URL('./fixtures/weigh/', import.meta.url));
const { modalities, rows, cases } = JSON.parse(await readFile(join(FIXTURES, 'expected.json'), 'utf8')) as {
	modalities: string[];
	rows: number;
	cases: Case[];
};

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-weigh-'));
});
afterEach(async () => {
	vi.restoreAllMocks();
	await rm(folder, { recursive: true });
});

const fixtureOf = (task: string, name: string): string => join(FIXTURES, task, `${name}.npy`);

/** The command within this process: what it prints, or the error that it ends by. */
async function weighed(...args: string[]): Promise<string> {
	const program = new Command('steelyard')
		.option('--json')
		.exitOverride()
		.configureOutput({ writeErr: () => {} });
	weigh(program.command('weigh'));
	let printed = '';
	const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
		printed += String(text);
		return true;
	});
	try {
		await program.parseAsync(['weigh', ...args], { from: 'user' });
	} finally {
		write.mockRestore();
	}
	return printed;
}

const asJson = async (...args: string[]): Promise<Weighed> => JSON.parse(await weighed(...args, '--json')) as Weighed;

/** The arguments that name the fixture's predictions. */
const predictionsOf = (task: string, masked = false): string[] => [
	'--task',
	task,
	'--fused',
	fixtureOf(task, 'fused'),
	'--unimodal',
	...modalities.map((name) => `${name}=${fixtureOf(task, masked && name === 'audio' ? 'audio-absent' : name)}`),
	...(masked ? ['--mask', `audio=${fixtureOf(task, 'audio-mask')}`] : []),
	...(task === 'regression' ? ['--labels', fixtureOf(task, 'labels')] : []),
];

/** The largest |found − expected| / max(1, |expected|). */
const largestError = (found: readonly number[], expected: readonly number[]): number => {
	expect(found).toHaveLength(expected.length);
	return Math.max(...expected.map((value, i) => Math.abs((found[i] as number) - value) / Math.max(1, Math.abs(value))));
};

describe('the weights of predictions', () => {
	it.each(cases)('are those of NumPy, SciPy and scikit-learn: $task $flags, something missing: $masked', async (expected) => {
		const labels = expected.statistics === null || expected.task === 'regression' ? [] : ['--labels', fixtureOf(expected.task, 'labels')];
		const found = await asJson(...predictionsOf(expected.task, expected.masked), ...labels, ...expected.flags);
		expect(found.modalities).toEqual(modalities);
		const more = expected.statistics === null ? [] : ['statistics'];
		expect(Object.keys(found)).toEqual(['modalities', 'divergence', 'mutual_information', 'weights', ...more]);
		for (const [m, name] of modalities.entries()) {
			const { mean, min, max, p10, p90 } = expected.divergence[m] as Summary;
			const kl = found.divergence[name] as Summary;
			expect(Object.keys(kl)).toEqual(['mean', 'min', 'max', 'p10', 'p90']);
			// float64 on both sides, the same formula in another order
			expect(largestError([kl.mean, kl.min, kl.max, kl.p10, kl.p90], [mean, min, max, p10, p90])).toBeLessThan(1e-9);
		}
		// Nothing is tied, so that noise of 1e-10, another in scikit-learn, changes no neighbour's rank.
		const information = modalities.map((name) => found.mutual_information[name] as number);
		expect(largestError(information, expected.mutual_information)).toBeLessThan(1e-9);
		expect(found.weights.map((row) => row.length)).toEqual(Array.from({ length: rows }, () => modalities.length));
		// Weights are rounded to float32. A temperature is found to the root of what float64 resolves of its loss, which is flat there.
		expect(largestError(found.weights.flat(), expected.weights.flat())).toBeLessThan(expected.statistics === null ? 3e-7 : 1e-6);
		if (expected.statistics === null) return;
		const { prior, temperature, gamma, epsilon, sigma = [], grid } = found.statistics as Statistics;
		expect({ gamma, epsilon, count: grid?.count }).toEqual({
			gamma: expected.statistics.gamma,
			epsilon: 0.1,
			count: expected.statistics.grid?.count,
		});
		expect(largestError(temperature, expected.statistics.temperature)).toBeLessThan(1e-6);
		expect(largestError([...prior, ...sigma], [...expected.statistics.prior, ...(expected.statistics.sigma ?? [])])).toBeLessThan(1e-12);
	});

	it('are written as float32 (rows, modalities), the same as those that are printed', async () => {
		const out = join(folder, 'W.npy');
		const { weights } = await asJson(...predictionsOf('multiclass'), '--out', out);
		const bytes = await readFile(out);
		expect(bytes.toString('latin1', 10, 80)).toContain(`'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, 3)`);
		const { shape, values } = await readNumberTable(out);
		expect(shape).toEqual([rows, 3]);
		expect([...values]).toEqual(weights.flat());
	});

	it('are summed up to read where no JSON is asked for', async () => {
		const text = await weighed(...predictionsOf('multiclass'), '--out', join(folder, 'W.npy'));
		expect(text).toMatch(/^modality +KL mean/);
		for (const name of modalities) expect(text).toMatch(new RegExp(`^${name} +\\d`, 'm'));
		expect(text).toContain(`W.npy  float32 (${rows}, 3)`);
	});

	it('come from the process as one JSON value, with the options in any order', async () => {
		const [, , ...rest] = predictionsOf('binary');
		const { code, stdout } = await run(['weigh', '--json', ...rest, '--task', 'binary']);
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toEqual(await asJson(...predictionsOf('binary')));
	});

	it('are those of the preset btw unless another is named', async () => {
		const { weights } = await asJson(...predictionsOf('multiclass'));
		expect((await asJson(...predictionsOf('multiclass'), '--preset', 'btw')).weights).toEqual(weights);
		expect((await asJson(...predictionsOf('multiclass'), '--preset', 'uniform')).weights.flat()).toEqual(Array(rows * 3).fill(1));
		expect((await asJson(...predictionsOf('multiclass'), '--combine', 'kl')).weights).toEqual(
			(await asJson(...predictionsOf('multiclass'), '--preset', 'btw-kl')).weights,
		);
	});

	it('by the presets paper and consensus follow their options', async () => {
		const paper = ['--direction', 'divergence', '--renormalise', 'none', '--sigma', 'fixed'];
		const [, , , , , ...files] = predictionsOf('regression').slice(0, -2); // paper needs no labels
		const regression = ['--task', 'regression', '--fused', fixtureOf('regression', 'fused'), '--unimodal', ...files];
		expect(await asJson(...regression, '--preset', 'paper')).toEqual(await asJson(...regression, ...paper));
		const consensus = [...predictionsOf('multiclass'), '--labels', fixtureOf('multiclass', 'labels'), '--preset', 'consensus'];
		const wary = await asJson(...consensus, '--epsilon', '0.4');
		expect(wary.statistics?.epsilon).toBe(0.4);
		expect(wary.weights).not.toEqual((await asJson(...consensus)).weights);
	});

	it('of one instance are all 1: it has no range of divergences, and nothing can be estimated from it', async () => {
		const one = await npyFile(folder, 'one', [1, 2], [0.3, -1]);
		const other = await npyFile(folder, 'other', [1, 2], [-2, 1]);
		const { weights, mutual_information } = await asJson('--task', 'multiclass', '--fused', one, '--unimodal', `a=${one}`, `b=${other}`);
		expect(weights).toEqual([[1, 1]]);
		expect(mutual_information).toEqual({ a: 1e-5, b: 1e-5 });
	});

	it.each([
		['multiclass', [3, 2], [0.2, 0.8, 1, 0, 0.5, 0.5], true],
		['multiclass', [3, 2], [0.2, 0.8, 1, 0, 0.5, 0.6], false],
		['binary', [3], [0.2, 1, 0], true],
		['binary', [3], [0.2, 1.5, 0], false],
		['regression', [3], [0.2, 1, 0], false],
	])('of %s %j %j come with a word on standard error where these look like probabilities: %s', async (task, shape, values, told) => {
		const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
		const file = await npyFile(folder, 'outputs', shape, values);
		await weighed('--task', task, '--fused', file, '--unimodal', `a=${file}`, '--sigma', 'fixed');
		expect(said.mock.calls.map(([text]) => text)).toEqual(
			told ? [expect.stringMatching(/outputs\.npy looks like probabilities: expected logits/)] : [],
		);
	});

	it('of extreme logits are finite', async () => {
		const fused = await npyFile(folder, 'fused', [3, 2], [1e4, -1e4, 0, 0, -1e4, 1e4]);
		const against = await npyFile(folder, 'against', [3, 2], [-1e4, 1e4, 0, 0, -1e4, 1e4]);
		const { weights, divergence } = await asJson('--task', 'multiclass', '--fused', fused, '--unimodal', `a=${fused}`, `b=${against}`);
		expect(divergence['b']?.max).toBe(2e4);
		expect(weights.flat().every((weight) => weight >= 0 && weight <= 2)).toBe(true);
	});

	it('of a modality that no instance has are 0, and its divergence is null', async () => {
		const mask = await npyFile(folder, 'mask', [rows], new Array(rows).fill(0));
		const found = await asJson(...predictionsOf('multiclass'), '--mask', `text=${mask}`);
		expect(found.divergence['text']).toBeNull();
		expect(found.weights.every(([text, audio, video]) => text === 0 && Math.abs((audio ?? 0) + (video ?? 0) - 2) < 1e-6)).toBe(true);
	});
});

describe('what cannot be weighed', () => {
	const classes = (...more: string[]): string[] => [...predictionsOf('multiclass'), ...more];
	const fused = fixtureOf('multiclass', 'fused');
	const text = fixtureOf('multiclass', 'text');
	const flagsOf = (task: string, fusedFile: string, unimodal: string, ...more: string[]): string[] => [
		...['--task', task, '--fused', fusedFile, '--unimodal', `text=${unimodal}`],
		...more,
	];

	it('ends the process with 2, nothing on standard output, nothing written', async () => {
		const out = join(folder, 'W.npy');
		const [task, name, ...rest] = predictionsOf('regression').slice(0, -2);
		const ended = await run(['weigh', task as string, name as string, ...rest, '--json', '--out', out]);
		expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/give --labels, or --sigma fixed/) });
		await expect(stat(out)).rejects.toThrow('ENOENT');
		expect(await run(['weigh', '--task', 'ranking', ...rest])).toMatchObject({
			code: 2,
			stderr: expect.stringMatching(/--task.*"ranking"|ranking/),
		});
	});

	it.each([
		['no task', () => classes().slice(2), /--task/],
		['an unknown task', () => flagsOf('ranking', fused, text), /'ranking' is invalid.*binary, multiclass, multilabel, regression/],
		['an unknown preset', () => classes('--preset', 'best'), /'best' is invalid.*btw/],
		['an unknown direction', () => classes('--direction', 'up'), /'up' is invalid.*divergence, agreement/],
		['a seed that is none', () => classes('--seed', '1.5'), /'1.5' is invalid. Expected a whole number of at least 0/],
		['no predictions of a modality', () => ['--task', 'multiclass', '--fused', fused], /--unimodal/],
		['predictions without a name', () => ['--task', 'multiclass', '--fused', fused, '--unimodal', text], /not of the form NAME=FILE/],
		['a name given twice', () => classes('--unimodal', `text=${text}`), /"text" is given twice/],
		['a mask of a modality that is not there', () => classes('--mask', `smell=${text}`), /--mask smell.*text, audio, video/],
		[
			'a choice of BTW for another method',
			() => classes('--preset', 'qmf', '--direction', 'agreement'),
			/--direction: the preset qmf has no such/,
		],
		['epsilon for another method than consensus', () => classes('--epsilon', '0.2'), /--epsilon: the preset btw has no such choice/],
		['an epsilon of 1', () => classes('--preset', 'consensus', '--epsilon', '1'), /'1' is invalid. Expected a number between 0 and 1/],
		['consensus without labels', () => classes('--preset', 'consensus'), /consensus is fitted to the labels: give --labels/],
		['gradients', () => classes('--preset', 'ogm-ge'), /ogm-ge: it weighs gradients/],
		['argmax of values', () => [...predictionsOf('regression'), '--mutual-information', 'argmax'], /expected the estimator ksg/],
		['one logit as classes', () => flagsOf('multiclass', fixtureOf('binary', 'fused'), text), /at least two classes.*found \(64,\)/],
		['two logits as binary', () => flagsOf('binary', fixtureOf('multilabel', 'fused'), text), /one logit per row.*found \(64, 2\)/],
		['several values as a regression', () => flagsOf('regression', fused, text), /one value per row.*found \(64, 4\)/],
		[
			'another width',
			() => flagsOf('multiclass', fused, fixtureOf('multilabel', 'text')),
			/text\.npy: expected 64 rows of 4 columns as in .*fused\.npy, found shape \(64, 2\)/,
		],
		[
			'a file that is not there',
			() => flagsOf('multiclass', fused, join(folder, 'no.npy')),
			/no\.npy does not exist; expected an \.npy file/,
		],
		['a folder', () => flagsOf('multiclass', folder, text), /expected a file, found a folder/],
		['what is no array', () => flagsOf('multiclass', fileURLToPath(import.meta.url), text), /weigh\.test\.ts: expected an \.npy file/],
		['a folder to write to that is not there', () => classes('--out', join(folder, 'no', 'W.npy')), /there is no folder .*no to write to/],
	])('is refused: %s', async (_, args, message) => {
		await expect(weighed(...args())).rejects.toThrow(message);
	});

	it.each([
		['no rows', [0, 4], [], undefined, /wrong\.npy: expected at least one row, found shape \(0, 4\)/],
		['three axes', [2, 2, 1], [1, 2, 3, 4], undefined, /expected shape \(rows,\) or \(rows, columns\), found \(2, 2, 1\)/],
		['a NaN', [3, 2], [1, 2, 3, 4, 5, NaN], undefined, /wrong\.npy row 2, column 1: expected a finite number, found NaN/],
		['an infinity', [3, 2], [1, 2, -Infinity, 4, 5, 6], undefined, /wrong\.npy row 1, column 0: expected a finite number, found -Infinity/],
		[
			'objects',
			[2, 2],
			[1, 2, 3, 4],
			"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }",
			/expected elements of type .*found type "\|O"/,
		],
		['a truncated array', [4, 4], [1, 2, 3], undefined, /wrong\.npy: expected \d+ bytes .*truncated/],
	])('is refused as a prediction: %s', async (_, shape, values, header, message) => {
		const wrong = await npyFile(folder, 'wrong', shape, values, header);
		await expect(weighed(...flagsOf('multiclass', wrong, text))).rejects.toThrow(message);
	});

	it('is refused: a NaN or another number of rows in a modality', async () => {
		const good = await npyFile(folder, 'good', [2, 2], [1, 2, 3, 4]);
		const nan = await npyFile(folder, 'nan', [2, 2], [1, 2, NaN, 4]);
		await expect(weighed(...flagsOf('multiclass', good, nan))).rejects.toThrow(
			/nan\.npy row 1, column 0: expected a finite number, found NaN/,
		);
		const short = await npyFile(folder, 'short', [1, 2], [1, 2]);
		await expect(weighed(...flagsOf('multiclass', good, short))).rejects.toThrow(
			/short\.npy: expected 2 rows of 2 columns as in .*found shape \(1, 2\)/,
		);
	});

	it.each([
		['multiclass', [0, 1, 4], /row 2: expected a class from 0 to 1, found 4/],
		['multiclass', [0, -1, 1], /row 1: expected a class from 0 to 1, found -1/],
		['multiclass', [0.5, 0, 1], /row 0: expected a class from 0 to 1, found 0.5/],
		['multiclass', [0, 1], /labels\.npy: expected 3 rows of one column as in .*found shape \(2,\)/],
		['multilabel', [0, 1, 1], /labels\.npy: expected 3 rows of 2 columns/],
		['regression', [0, NaN, 1], /labels\.npy row 1, column 0: expected a finite number, found NaN/],
		['binary', [0, 1, 2], /labels\.npy row 2: expected 0 or 1, found 2/],
	])('is refused: labels of %s that do not fit, %j', async (task, values, message) => {
		const width = task === 'binary' || task === 'regression' ? 1 : 2;
		const outputs = await npyFile(
			folder,
			'outputs',
			[3, width],
			Array.from({ length: 3 * width }, (_, i) => Math.sin(i)),
		);
		const labels = await npyFile(folder, 'labels', [values.length], values);
		await expect(weighed(...flagsOf(task, outputs, outputs, '--labels', labels))).rejects.toThrow(message);
	});

	it('is refused: a mask of other values than 0 and 1, or of other rows', async () => {
		const mask = await npyFile(
			folder,
			'mask',
			[rows],
			Array.from({ length: rows }, (_, i) => (i === 7 ? 0.5 : 1)),
		);
		await expect(weighed(...classes('--mask', `text=${mask}`))).rejects.toThrow(/mask\.npy row 7: expected 1 where.*found 0\.5/);
		const short = await npyFile(folder, 'short', [2], [1, 0]);
		await expect(weighed(...classes('--mask', `text=${short}`))).rejects.toThrow(/short\.npy: expected 64 rows of one column/);
	});
});
