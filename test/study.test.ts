import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ingest, openDataset } from '@steelyard/dataset';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allCells, tableOf } from '../docs/study/cells.js';
import { CLAIMS } from '../docs/study/claims.js';
import { conditionFiles, judgedSplits, readSource } from '../docs/study/conditions.js';
import { chosenRows, donors, groupsIn, withoutRows, withRowsFrom } from '../docs/study/corrupt.js';
import { DATASETS } from '../docs/study/datasets.js';
import { filterOf, runJobs, studyJobs } from '../docs/study/jobs.js';
import { SEEDS } from '../docs/study/methods.js';
import { bytesAsNpy, rowsOf } from '../docs/study/npy.js';
import { PUBLISHED } from '../docs/study/published.js';
import { writeReport } from '../docs/study/report.js';
import { appendResult, isCurrent, keyOf, readResults } from '../docs/study/results.js';
import { effectiveRobustness, relativeRobustness } from '../docs/study/robustness.js';
import { criticalT, holm, meanInterval, pairedGain, twoSided } from '../docs/study/statistics.js';
import { pageOf, verdictOf } from '../docs/study/tables/page.js';

const DATA = fileURLToPath(new URL('../../shared/data', import.meta.url));
const NONE = { metrics: {}, unimodal: {}, weights: {}, best_epoch: 1, epochs: 1, parameters: 1, seconds: 1, data: '' };

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-study-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Rows of two bytes; a row's values tell which it is. */
const numbered = (rows: number): Buffer => {
	const npy = bytesAsNpy(Uint8Array.from({ length: 2 * rows }, (_, i) => Math.floor(i / 2)));
	npy.write(`'shape': (${rows}, 2), }`, npy.indexOf("'shape'"), 'latin1');
	return npy;
};
const rowValues = (npy: Buffer): number[] => {
	const { offset, rows, rowBytes } = rowsOf(npy, 'a file');
	return Array.from({ length: rows }, (_, row) => npy[offset + row * rowBytes] as number);
};

describe('the statistics of the study', () => {
	// SciPy 1.17: stats.t.ppf and 2 · stats.t.sf; both sides are good to ten digits.
	it('has the quantiles and tails of Student’s distribution', () => {
		for (const [df, t] of [
			[1, 12.706204736174694],
			[4, 2.7764451051977934],
			[9, 2.262157162798205],
			[30, 2.0422724563012378],
		] as const)
			expect(criticalT(0.95, df)).toBeCloseTo(t, 9);
		for (const [t, df, p] of [
			[0.5, 4, 0.6433299631818633],
			[2.776, 4, 0.05002277831997642],
			[4.2, 4, 0.013695810305096449],
			[12.3, 4, 0.00025097574104189654],
			[1.1, 9, 0.2998827618568063],
		] as const)
			expect(twoSided(t, df)).toBeCloseTo(p, 10);
	});

	const a = [0.861, 0.858, 0.866, 0.859, 0.864];
	const b = [0.857, 0.859, 0.86, 0.855, 0.858];
	const bySeed = (values: readonly number[]) => new Map(values.map((value, i) => [i + 1, value]));

	it('gives the mean and the interval that SciPy gives', () => {
		const { mean, half } = meanInterval(a);
		expect(mean).toBeCloseTo(0.8616, 12);
		expect(half).toBeCloseTo(0.004173912214472164, 10);
		expect(meanInterval([3]).half).toBeNaN();
	});

	it('pairs by seed, so that a gain smaller than the spread of levels is seen', () => {
		const gain = pairedGain(bySeed(a), bySeed(b), true)!;
		expect(gain.mean).toBeCloseTo(0.0038, 12);
		expect(gain.half).toBeCloseTo(0.00355558458939876, 10);
		expect(gain.p).toBeCloseTo(0.04125450358411423, 9);
		expect(gain.verdict).toBe('better');
		expect(pairedGain(bySeed(a), bySeed(b), false)).toMatchObject({ verdict: 'worse', mean: -gain.mean });
	});

	it('pairs only seeds that both have, and says nothing with fewer than two', () => {
		const some = new Map([...bySeed(b)].slice(3));
		expect(pairedGain(bySeed(a), some, true)?.n).toBe(2);
		expect(pairedGain(bySeed(a), new Map([[1, 0.9]]), true)).toBeNull();
	});

	it('takes equal results for the same, not for a difference without spread', () => {
		expect(pairedGain(bySeed(a), bySeed(a), true)).toMatchObject({ mean: 0, verdict: 'same', p: 1 });
	});

	// statsmodels' multipletests(method='holm') rejects the same.
	it('corrects many tests as Holm does', () => {
		expect(holm([0.04, 0.001, 0.02, 0.6])).toEqual([false, true, false, false]);
		expect(holm([0.01, 0.001, 0.02, 0.04])).toEqual([true, true, true, true]);
	});

	it('has the robustness of curves whose areas are known', () => {
		expect(relativeRobustness([0, 0.5, 1], [1, 0.5, 0])).toBeCloseTo(0.5, 12);
		// Loses nothing where late fusion falls in a line from 0.8 to 0.4: the triangle of height 0.4.
		expect(effectiveRobustness([0, 0.5, 1], [0.9, 0.9, 0.9], [0.8, 0.6, 0.4])).toBeCloseTo(0.2, 12);
		expect(effectiveRobustness([0, 1], [0.7, 0.5], [0.9, 0.7])).toBeCloseTo(0, 12);
	});
});

describe('the corruption of the study', () => {
	it('shuffles exactly the share, each row among the chosen, none onto itself', () => {
		for (const rows of [5, 106, 400]) {
			const npy = numbered(Math.min(rows, 255));
			const count = rowsOf(npy, 'a file').rows;
			const chosen = chosenRows(count, 0.4, 1, 'test');
			const values = rowValues(withRowsFrom(npy, donors(chosen), 'a file'));
			const moved = values.flatMap((value, row) => (value === row ? [] : [row]));
			expect(moved).toHaveLength(Math.round(0.4 * count));
			expect(moved).toEqual(chosen.toSorted((x, y) => x - y));
			expect(values.toSorted((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, row) => row));
		}
	});

	it('is a function of seed and name, and a greater share holds the rows of a smaller one', () => {
		const chosen = (share: number, seed = 1, name = 'test') => chosenRows(200, share, seed, name);
		expect(chosen(0.4)).toEqual(chosen(0.4));
		expect(chosen(0.4)).not.toEqual(chosen(0.4, 2));
		expect(chosen(0.4)).not.toEqual(chosen(0.4, 1, 'train'));
		expect(chosen(0.8).slice(0, 80)).toEqual(chosen(0.4));
	});

	it('gives no row what belongs to its own group, and says so where no shuffle can', () => {
		const groups = Array.from({ length: 120 }, (_, row) => row % 7 ** ((row % 3) + 1));
		const file = bytesAsNpy(Uint8Array.from(groups));
		const groupOf = groupsIn(file, 'groups');
		for (const seed of [1, 2, 3]) {
			const from = donors(chosenRows(120, 0.5, seed, 'test'), groupOf);
			expect(from.size).toBe(60);
			expect(new Set(from.values())).toEqual(new Set(from.keys()));
			for (const [row, donor] of from) expect(groups[row]).not.toBe(groups[donor]);
		}
		expect(() => donors([0, 1, 2], (row) => row > 0)).toThrow('2 of 3 rows');
	});

	it('takes a modality away: zeros where the mask says 0, untouched where it says 1', () => {
		const { values, mask } = withoutRows(numbered(10), [2, 7], 'a file');
		expect(rowValues(values)).toEqual([0, 1, 0, 3, 4, 5, 6, 0, 8, 9]);
		expect(rowValues(mask)).toEqual([1, 1, 0, 1, 1, 1, 1, 0, 1, 1]);
	});

	it('refuses what is no array of rows in C order', () => {
		expect(() => rowsOf(Buffer.from('nothing'), 'x.npy')).toThrow('x.npy: expected an .npy file');
		const turned = numbered(3);
		turned.write('True ', turned.indexOf('False'), 'latin1');
		expect(() => rowsOf(turned, 'x.npy')).toThrow('C order');
	});

	// Not part of the project: clinical and annotated data with terms of their own.
	describe.skipIf(!existsSync(DATA))('of real data', () => {
		for (const condition of ['clean', 'shuffled', 'missing'])
			it(`makes a dataset of rosmap, ${condition}, that the service takes in, with the splits that are to be judged`, async () => {
				const source = await readSource(join(DATA, 'rosmap'));
				const files = conditionFiles(source, 'rosmap', condition, 1);
				const [made, taken] = [join(folder, 'made'), join(folder, 'taken')];
				await mkdir(made);
				await mkdir(taken);
				for (const [name, bytes] of files) await writeFile(join(made, name), bytes);
				const { profile } = await ingest(made, taken);
				expect(Object.keys(profile.splits).sort()).toEqual([...judgedSplits('rosmap', condition), 'train'].sort());
				const dataset = openDataset(taken);
				const absent = (split: string) => [...(dataset.split(split).mask('mrna') ?? [])].filter((present) => present === 0).length;
				expect([absent('train'), absent('test')]).toEqual(condition === 'missing' ? [74, 32] : [0, 0]);
				if (condition === 'clean') expect(absent('testmissing30')).toBe(32);
				dataset.close();
			});

		it('has published figures as the manifests have them', async () => {
			const read = await Promise.all(Object.keys(PUBLISHED).map((name) => readFile(join(DATA, name, 'manifest.json'), 'utf8')));
			const baselines = await Promise.all(Object.keys(PUBLISHED).map((name) => readFile(join(DATA, name, 'baselines.txt'), 'utf8')));
			const known = new Set(
				[...read, ...baselines]
					.join(' ')
					.match(/\d+(\.\d+)?/g)
					?.map(Number),
			);
			for (const { rows } of Object.values(PUBLISHED).flat())
				for (const [name, ...values] of rows)
					for (const value of values)
						expect(known.has(value) || known.has(Number((100 * value).toFixed(2))), `${name} ${value}`).toBe(true);
		});
	});
});

describe('the run of the study', () => {
	const jobs = studyJobs().filter(filterOf(['dataset=rosmap,condition=clean,method=btw,method=uniform']));

	it('has every method on every dataset, condition and seed, and filters by name', () => {
		expect(studyJobs()).toHaveLength(4 * 3 * 13 * 5);
		expect(jobs.map(({ method, seed }) => `${method}${seed}`)).toEqual(SEEDS.flatMap((seed) => [`uniform${seed}`, `btw${seed}`]));
		expect(() => filterOf(['method=magic'])).toThrow('expected one of uniform');
		expect(() => filterOf(['methods=btw'])).toThrow('expected one of dataset');
	});

	/** One run, which ends after some jobs; what it did. */
	async function run(file: string, most: number): Promise<string[]> {
		const before = await readResults(file);
		const begun: string[] = [];
		await runJobs(
			jobs.filter((job) => !isCurrent(before.get(keyOf(job)), job.spec)),
			{
				parallel: 2,
				run: async (job) => {
					begun.push(keyOf(job));
					return NONE;
				},
				record: (job, measured) => appendResult(file, { ...job, ...measured }),
				failed: (_, error) => expect.fail(error.message),
				stopped: () => begun.length >= most,
			},
		);
		return begun;
	}

	it('goes on where it stopped: no job runs twice, none is left out', async () => {
		const file = join(folder, 'results.jsonl');
		const first = await run(file, 4);
		await appendFile(file, '{"dataset":"rosmap","cond'); // killed while it wrote
		const second = await run(file, Number.POSITIVE_INFINITY);
		expect([...first, ...second].sort()).toEqual(jobs.map(keyOf).sort());
		expect(first.length).toBeGreaterThan(0);
		expect(second.length).toBeGreaterThan(0);
		expect(await run(file, Number.POSITIVE_INFINITY)).toEqual([]);
		expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(jobs.length);
	});

	it('runs a job again whose spec has changed', async () => {
		const file = join(folder, 'results.jsonl');
		await run(file, Number.POSITIVE_INFINITY);
		const [job] = jobs as [(typeof jobs)[number]];
		await appendResult(file, { ...job, ...NONE, spec: { other: true } });
		expect(await run(file, Number.POSITIVE_INFINITY)).toEqual([keyOf(job)]);
	});

	it('tells of a job that failed and runs the others', async () => {
		const failed: string[] = [];
		const done: string[] = [];
		await runJobs(jobs, {
			parallel: 3,
			run: async (job) => {
				if (job.seed === 12) throw new Error('no');
			},
			record: async (job) => void done.push(keyOf(job)),
			failed: (job) => void failed.push(keyOf(job)),
			stopped: () => false,
		});
		expect([failed.length, done.length]).toEqual([2, 8]);
	});
});

describe('the report of the study', () => {
	/** Results of a made-up study: each method has a level of its own in every cell, and the seeds spread around it. */
	const results = studyJobs().map((job) => {
		const shift = { consensus: 0.05, paper: -0.05, 'btw-divergence': -0.05 }[job.method] ?? 0;
		const { metrics } = DATASETS[job.dataset]!;
		const value = (metric: string): number => 0.8 + (metric === 'mae' ? -shift : shift) + 0.001 * ((job.seed * 7) % 5);
		const measured = Object.fromEntries(metrics.map((metric) => [metric, value(metric)]));
		const splits = ['train', 'validation', ...judgedSplits(job.dataset, job.condition)];
		const all = Object.fromEntries(splits.map((split) => [split, measured]));
		const unimodal = {
			weak: Object.fromEntries(splits.map((split) => [split, { ...measured, [metrics[0] as string]: 0.5 }])),
			methylation: all,
		};
		return { ...job, ...NONE, metrics: all, unimodal: job.method === 'uniform' ? {} : unimodal };
	});

	it('shows every cell of every method, and decides by its rules', async () => {
		await writeReport(results, { folder, planned: results.length });
		const report = await readFile(join(folder, 'README.md'), 'utf8');
		expect(report).not.toMatch(/undefined|NaN|not run|\| – +\| – +\|/);
		expect(report).toMatch(/\| `consensus` +\| 25 +\| 25 +\| 0 +\| 25 +\| 0 +\|/);
		expect(report).toContain('**agreement**');
		expect(report).toContain('**consensus**, better in 25');
		for (const dataset of Object.keys(DATASETS))
			expect(await readFile(join(folder, 'plots', `${dataset}.svg`), 'utf8')).not.toContain('NaN');
		expect(await readFile(join(folder, 'plots', 'curve.svg'), 'utf8')).toContain('consensus');
	});

	it('decides nothing where cells are lacking', async () => {
		const table = tableOf([]);
		expect(CLAIMS.map(({ judge }) => judge(table).verdict)).toEqual(CLAIMS.map(() => 'undecided'));
		await writeReport([], { folder, planned: 720 });
		const report = await readFile(join(folder, 'README.md'), 'utf8');
		expect(report).toContain('0 of 720 jobs have run');
		expect(report).not.toContain('NaN');
	});

	it('chooses the best unimodal model by validation, by the direction of its metric', () => {
		const table = tableOf(results);
		const mosi = allCells().find(({ dataset, split }) => dataset === 'mosi_std' && split === 'test')!;
		const rosmap = allCells().find(({ dataset, split }) => dataset === 'rosmap' && split === 'test')!;
		expect([...table.values(mosi, 'best-unimodal').values()][0]).toBe(0.5);
		expect([...table.values(rosmap, 'best-unimodal').values()][0]).toBeCloseTo(0.802, 3);
	});
});

describe('the study of tables', () => {
	const at = (path: string): URL => new URL(`../docs/study/${path}`, import.meta.url);

	it('says on its page what its results hold', async () => {
		const results = JSON.parse(await readFile(at('tables/results.json'), 'utf8'));
		expect(await readFile(at('tables.md'), 'utf8')).toBe(await pageOf(results));
		expect(results.tables.length).toBeGreaterThan(2);
		for (const { ours, fed } of results.tables)
			for (const [metric, value] of Object.entries(fed)) expect(ours[metric] / (value as number)).toBeCloseTo(1, 6);
	});

	it('tells by the interval who is better, by the direction of the metric', () => {
		const verdict = (metric: string, own: number) =>
			verdictOf({ metric, ours: { [metric]: own }, interval: [0.4, 0.5] } as unknown as Parameters<typeof verdictOf>[0]);
		expect(['accuracy', 'rmse'].map((metric) => [0.3, 0.45, 0.6].map((own) => verdict(metric, own)))).toEqual([
			['**worse**', 'inside', '**better**'],
			['**better**', 'inside', '**worse**'],
		]);
	});
});
