import type { JobEvent, JobEventBody, JobResource } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { type Progress, progressOn } from '../src/progress.js';
import { Terminal } from './terminal.js';

const job = { spec: { training: { epochs: 30 } } } as JobResource;

/** Follows a job with these events; between them `at` may look at the terminal or change it. */
async function follow(progress: Progress, steps: ReadonlyArray<JobEventBody | (() => void)>, seconds = 1): Promise<void> {
	async function* events(): AsyncGenerator<JobEvent> {
		let at = 0;
		for (const step of steps) {
			if (typeof step === 'function') step();
			else yield { id: `${++at}-0`, at: at * seconds * 1000, ...step } as JobEvent;
		}
	}
	await progress.follow(job, events());
}

async function shownOn(terminal: Terminal, ...steps: ReadonlyArray<JobEventBody | (() => void)>): Promise<string[]> {
	await follow(progressOn(terminal as unknown as NodeJS.WriteStream), steps);
	return terminal.shown;
}

const stageOf = (model: string): 'fusion' | 'unimodal' => (model === 'fusion' ? 'fusion' : 'unimodal');
const progress = (model: string, more: object = {}): JobEventBody => ({
	type: 'progress',
	stage: stageOf(model),
	model,
	progress: 0.42,
	epoch: 11,
	epochs: 30,
	step: 40,
	steps: 100,
	loss: 0.4567,
	rows_per_second: 8120.4,
	eta_seconds: 18,
	...more,
});
const epoch = (model: string, number: number, loss: number | null, best: boolean): JobEventBody => ({
	type: 'epoch',
	stage: stageOf(model),
	model,
	epoch: number - 1,
	train_loss: 0.4,
	validation: { loss },
	learning_rate: 0.001,
	best,
});
const status = (
	name: 'queued' | 'failed' | 'succeeded',
	attempt = 1,
	error: null | { code: string; message: string; param: null } = null,
): JobEventBody => ({
	type: 'status',
	status: name,
	attempt,
	error,
});

describe('a running job on a terminal', () => {
	it.each([
		[40, '  unimodal routing  job  42 %  eta 18 s'],
		[60, '  unimodal routing  epoch 12/30  job  42 %  eta 18 s'],
		[80, '  unimodal routing  epoch 12/30  loss 0.4567  █████·······  job  42 %  eta 18 s'],
		[100, '  unimodal routing  epoch 12/30  loss 0.4567  validation 0.4711  █████········  job  42 %  eta 18 s'],
		[140, '  unimodal routing  epoch 12/30  loss 0.4567  validation 0.4711  ██████████··············  job  42 %  eta 18 s  8120 rows/s'],
	])('has one line, which at %i columns says the most important things', async (columns, line) => {
		const terminal = new Terminal(columns);
		let seen: string[] = [];
		await shownOn(terminal, epoch('routing', 11, 0.4711, true), progress('routing', { epoch: 10 }), progress('routing'), () => {
			seen = terminal.shown;
		});
		expect(seen.length).toBe(1);
		expect(seen[0]?.length).toBeLessThan(columns);
		expect(seen[0]).toBe(line);
	});

	it('has one line however the window is resized', async () => {
		const terminal = new Terminal(140);
		const check = (columns: number) => () => {
			terminal.resize(columns);
			expect(terminal.shown.slice(0, 1)).toEqual(['  no GPU found, using the CPU']);
			expect(terminal.shown.length).toBe(2);
			expect(terminal.shown[1]?.length).toBeLessThan(columns);
		};
		await shownOn(
			terminal,
			{ type: 'device', provider: 'cpu', note: 'no GPU found, using the CPU' },
			progress('text'),
			...[60, 139, 41, 100, 140].flatMap((columns) => [check(columns), progress('text')]),
		);
		expect(terminal.listenerCount('resize')).toBe(0);
	});

	it('cuts a long name, so that the rest has room', async () => {
		const terminal = new Terminal(60);
		const name = 'a-modality-with-a-name-that-goes-on-and-on';
		await shownOn(terminal, progress(name), () =>
			expect(terminal.shown[0]).toBe('  unimodal a-modalit…  epoch 12/30  job  42 %  eta 18 s'),
		);
	});

	it('names the fold where a modality has several models', async () => {
		const terminal = new Terminal(80);
		await shownOn(terminal, progress('text.2'), () => expect(terminal.shown[0]).toMatch(/^ {2}unimodal text +fold 3 +epoch 12\/30/));
	});
});

describe('a trained model', () => {
	const trained = [progress('text'), epoch('text', 7, 0.2345, true), epoch('text', 12, 0.3, false), progress('fusion')];

	it.each([
		[60, '  unimodal text     stopped at 12/30, best 7, loss 0.2345'],
		[80, '  unimodal text     stopped at 12/30, best epoch 7, validation loss 0.2345'],
		[100, '  unimodal text     stopped early at epoch 12 of at most 30, best epoch 7, validation loss 0.2345'],
	])('leaves one line that says what came of it, at %i columns', async (columns, line) => {
		const [first, ...others] = await shownOn(new Terminal(columns), ...trained);
		expect(first).toBe(line);
		expect(others).toHaveLength(1);
	});

	it('that used all its epochs says so, also where none of its losses is known', async () => {
		const [line] = await shownOn(new Terminal(140), epoch('text', 30, null, false), progress('fusion'));
		expect(line).toBe('  unimodal text     trained all 30 epochs');
	});

	it('shares its line with the other models of its modality', async () => {
		const folds = [epoch('text.0', 9, 0.2, true), epoch('text.1', 12, 0.25, true)];
		const [line, ...others] = await shownOn(new Terminal(140), ...folds, { type: 'stage', stage: 'fusion' }, progress('fusion'));
		expect(line).toBe(
			'  unimodal text     2 models, stopped early at epoch 9–12 of at most 30, best epoch 9–12, validation loss 0.2000–0.2500',
		);
		expect(others).toHaveLength(1);
	});
});

describe('a job that warns', () => {
	it('leaves a line for each warning', async () => {
		const warning = { type: 'warning', code: 'evaluation_failed', message: 'the model cannot judge row 3', advice: 'mend it' } as const;
		const lines = await shownOn(
			new Terminal(140),
			epoch('fusion', 30, 0.2, true),
			{ type: 'stage', stage: 'evaluating' },
			warning,
			status('succeeded'),
		);
		expect(lines).toContain('  warning: the model cannot judge row 3 (evaluation_failed)');
	});
});

describe('a job that does not train to its end', () => {
	it('says that it is queued again, and goes on', async () => {
		const events = [progress('text'), status('queued'), progress('text'), epoch('text', 30, 0.2, true), status('succeeded', 2)];
		expect(await shownOn(new Terminal(100), ...events)).toEqual([
			expect.stringMatching(/^ {2}unimodal text +epoch 12\/30 .* job {2}42 %/),
			'  queued again after attempt 1',
			expect.stringMatching(/^ {2}unimodal text +trained all 30 epochs/),
		]);
	});

	it('says where it was when it failed, and why', async () => {
		const error = { code: 'diverged', message: 'the loss is not finite', param: null };
		expect(await shownOn(new Terminal(60), progress('fusion', { loss: null }), status('failed', 1, error))).toEqual([
			expect.stringMatching(/^ {2}fusion +epoch 12\/30 .* job {2}42 %$/),
			'  failed: the loss is not finite (diverged)',
		]);
	});
});

it('the device is shown once, also over several jobs, without the words of a loader', async () => {
	const terminal = new Terminal(100);
	const shared = progressOn(terminal as unknown as NodeJS.WriteStream);
	for (let i = 0; i < 2; i++) await follow(shared, [{ type: 'device', provider: 'cpu', note: 'no GPU found, using the CPU' }]);
	expect(terminal.shown).toEqual(['  no GPU found, using the CPU']);
});

describe('where there is no terminal', () => {
	it('lines are plain, and one in five seconds', async () => {
		const terminal = new Terminal(null);
		await follow(
			progressOn(terminal as unknown as NodeJS.WriteStream),
			Array.from({ length: 101 }, () => progress('text')),
			0.1,
		);
		expect(terminal.written).not.toMatch(/[\r\u001b█]/);
		expect(terminal.shown).toHaveLength(3); // at 5 s, at 10 s, and where it was left
		expect(terminal.shown[0]).toBe('  unimodal text     epoch 12/30  loss 0.4567  job  42 %  eta 18 s  8120 rows/s');
	});
});
