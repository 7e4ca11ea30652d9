import type { TaskProfile } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { type DiagnosedSplit, type DiagnosticsInput, diagnose } from '../src/report/diagnostics.js';

const binary: TaskProfile = { type: 'binary', classes: ['no', 'yes'], outputs: 1 };
const regression: TaskProfile = { type: 'regression', classes: [], outputs: 1 };
const multilabel: TaskProfile = { type: 'multilabel', classes: ['x', 'y'], outputs: 2 };

const logits = (bits: number[]): Float32Array => Float32Array.from(bits, (bit) => (bit === 1 ? 2 : -2));
const probabilities = (bits: number[]): Float32Array => Float32Array.from(bits.flatMap((bit) => [1 - 0.9 * bit - 0.05, 0.9 * bit + 0.05]));
const fused = (bits: number[]) => ({
	logits: Float32Array.from(bits, (bit) => Math.log(0.95 / 0.05) * (2 * bit - 1)),
	probabilities: probabilities(bits),
});
const noBits = [0, 0, 0, 0];

/** The label is the exclusive or of what two models say. */
const exclusiveOr = (name: string): DiagnosedSplit => ({
	name,
	labels: Float64Array.of(0, 1, 1, 0),
	present: [null, null],
	fused: fused([0, 1, 1, 0]),
	outputs: [logits([0, 0, 1, 1]), logits([0, 1, 0, 1])],
});
const metrics = (loss: number, accuracy: number | null) => ({ validation: { loss, accuracy } });
const input = (more: Partial<DiagnosticsInput> = {}): DiagnosticsInput => ({
	task: binary,
	loss: 'binary_cross_entropy',
	modalities: ['a', 'b'],
	unimodal: { a: metrics(0.5, 0.5), b: metrics(0.4, 0.5) },
	metric: 'loss',
	splits: [exclusiveOr('train'), exclusiveOr('validation')],
	...more,
});
const pairIn = (of: DiagnosticsInput, split = 'validation') => diagnose(of).partial_information!.pairs[0]!.splits[split];

describe('the best unimodal model', () => {
	it('is chosen on validation by the metric, the first of equals', () => {
		expect(diagnose(input()).best_unimodal).toEqual({ modality: 'b', metric: 'loss' });
		expect(diagnose(input({ metric: 'accuracy' })).best_unimodal).toEqual({ modality: 'a', metric: 'accuracy' });
		const unimodal = { a: metrics(0.1, null), b: metrics(0.4, 0.2) };
		expect(diagnose(input({ metric: 'accuracy', unimodal })).best_unimodal).toEqual({ modality: 'b', metric: 'accuracy' });
	});

	it('is none where no model has the metric, and then says so', () => {
		const unimodal = { a: metrics(0.1, null), b: metrics(0.4, null) };
		expect(diagnose(input({ metric: 'accuracy', unimodal }))).toMatchObject({
			reason: 'no unimodal model has the metric accuracy on validation',
			best_unimodal: null,
			fusion_gain: null,
		});
	});
});

describe('the gain of fusion', () => {
	it('is positive where the fused model is better, for metrics that rise and for those that fall', () => {
		const { gain, rows } = diagnose(input()).fusion_gain!['validation']!;
		expect(rows).toBe(4);
		expect(gain['accuracy']).toBe(0.5); // all four against two of four
		// fused: −ln 0.95 everywhere; alone: −ln σ(2) for two and −ln σ(−2) for two
		const alone = -(Math.log(1 / (1 + Math.exp(-2))) + Math.log(1 / (1 + Math.exp(2)))) / 2;
		expect(gain['loss']).toBeCloseTo(alone + Math.log(0.95), 6);
	});

	it('compares the two on the rows that have the modality', () => {
		const split: DiagnosedSplit = {
			...exclusiveOr('validation'),
			present: [null, Uint8Array.of(1, 1, 0, 0)], // there the model of b is right
			fused: fused([0, 0, 1, 0]), // and the fused one is not
		};
		const { fusion_gain } = diagnose(input({ splits: [exclusiveOr('train'), split] }));
		expect(fusion_gain!['validation']).toMatchObject({ rows: 2, gain: { accuracy: -0.5 } });
	});

	it('has no split in which no row has the modality', () => {
		const absent = { ...exclusiveOr('test'), present: [null, Uint8Array.from(noBits)] };
		const { fusion_gain, partial_information } = diagnose(input({ splits: [exclusiveOr('train'), exclusiveOr('validation'), absent] }));
		expect(Object.keys(fusion_gain!)).toEqual(['train', 'validation']);
		expect(partial_information!.pairs[0]!.splits['test']).toBeNull();
	});

	it('counts rows of a multilabel task, not labels', () => {
		const split = (name: string): DiagnosedSplit => ({
			name,
			labels: Float64Array.of(0, 1, 1, 0),
			present: [Uint8Array.of(1, 0), null],
			fused: { logits: Float32Array.of(-2, 2, 2, -2), probabilities: Float32Array.of(0.1, 0.9, 0.9, 0.1) },
			outputs: [logits([1, 1, 1, 1]), logits([0, 1, 1, 0])],
		});
		const unimodal = { a: metrics(0.1, 1), b: metrics(0.4, 1) };
		const { fusion_gain } = diagnose(input({ task: multilabel, unimodal, splits: [split('train'), split('validation')] }));
		expect(fusion_gain!['train']).toMatchObject({ rows: 1, gain: { accuracy: 0.5, subset_accuracy: 1 } });
	});
});

describe('the decomposition of a pair', () => {
	it('finds that an exclusive or needs both, and not in the training split', () => {
		const pair = pairIn(input())!;
		expect(pair).toMatchObject({ rows: 4, redundant: 0, unique: { a: 0, b: 0 } });
		expect(pair.synergistic).toBeCloseTo(Math.LN2, 6);
		expect(pairIn(input(), 'train')).toBeUndefined();
	});

	it('finds what one model alone tells, over the rows that have both', () => {
		const split: DiagnosedSplit = {
			...exclusiveOr('validation'),
			labels: Float64Array.of(0, 0, 1, 1, 0, 0),
			outputs: [logits([0, 0, 1, 1, 1, 1]), logits([0, 1, 0, 1, 0, 0])],
			fused: fused([0, 0, 1, 1, 0, 0]),
			present: [null, Uint8Array.of(1, 1, 1, 1, 0, 0)],
		};
		const pair = pairIn(input({ splits: [exclusiveOr('train'), split] }))!;
		expect(pair.rows).toBe(4);
		expect(pair.unique['a']).toBeCloseTo(Math.LN2, 6);
		expect(pair.unique['b']! + pair.redundant + pair.synergistic).toBeCloseTo(0, 6);
	});

	it('puts values into the terciles of the training labels', () => {
		const values = Float64Array.from({ length: 9 }, (_, i) => i);
		const train: DiagnosedSplit = {
			name: 'train',
			labels: values,
			present: [null, null],
			fused: { values: Float32Array.from(values) },
			outputs: [Float32Array.from(values), new Float32Array(9)],
		};
		const { partial_information } = diagnose(input({ task: regression, splits: [train, { ...train, name: 'validation' }] }));
		// NumPy: quantile(arange(9), [1/3, 2/3]) = 8/3, 16/3
		expect(partial_information!.cuts).toEqual([expect.closeTo(8 / 3, 12), expect.closeTo(16 / 3, 12)]);
		const pair = partial_information!.pairs[0]!.splits['validation']!;
		expect(pair.unique['a']).toBeCloseTo(Math.log(3), 6);
		expect(pair.total).toBeCloseTo(Math.log(3), 12);
	});

	it('takes the mean over the labels of a multilabel task', () => {
		const split = (name: string): DiagnosedSplit => ({
			name,
			labels: Float64Array.of(0, 0, 1, 1), // both labels alike
			present: [null, null],
			fused: { logits: Float32Array.of(-2, -2, 2, 2), probabilities: Float32Array.of(0, 0, 1, 1) },
			outputs: [logits([0, 1, 1, 1]), logits([0, 1, 0, 1])], // a tells the first label, nothing else is told
		});
		const pair = pairIn(input({ task: multilabel, splits: [split('train'), split('validation')] }))!;
		expect(pair.unique['a']).toBeCloseTo(Math.LN2 / 2, 6);
		expect(pair.total).toBeCloseTo(Math.LN2 / 2, 12);
	});

	it('takes every pair of three modalities', () => {
		const three = (name: string): DiagnosedSplit => {
			const split = exclusiveOr(name);
			return { ...split, present: [null, null, null], outputs: [...split.outputs, logits([0, 1, 1, 0])] };
		};
		const unimodal = { a: metrics(0.5, 0.5), b: metrics(0.4, 0.5), c: metrics(0.1, 1) };
		const { partial_information } = diagnose(
			input({ modalities: ['a', 'b', 'c'], unimodal, splits: [three('train'), three('validation')] }),
		);
		expect(partial_information!.pairs.map(({ modalities }) => modalities.join(' '))).toEqual(['a b', 'a c', 'b c']);
		expect(partial_information!.pairs[2]!.splits['validation']!.unique['c']).toBeCloseTo(Math.LN2, 6);
	});

	it('is left out, with the reason, for too many classes or modalities', () => {
		const many: TaskProfile = { type: 'multiclass', classes: Array.from({ length: 21 }, String), outputs: 21 };
		const split = (name: string): DiagnosedSplit => ({
			name,
			labels: Float64Array.of(3),
			present: [null, null],
			fused: { logits: new Float32Array(21), probabilities: new Float32Array(21).fill(1 / 21) },
			outputs: [new Float32Array(21), new Float32Array(21)],
		});
		const found = diagnose(input({ task: many, splits: [split('train'), split('validation')] }));
		expect(found.partial_information).toBeNull();
		expect(found.reason).toBe('partial information is decomposed for up to 20 classes; this task has 21');
		expect(found.fusion_gain).not.toBeNull();
	});
});

it('says that a weighting without unimodal models has nothing to tell', () => {
	expect(diagnose(input({ unimodal: null }))).toEqual({
		object: 'diagnostics',
		modalities: ['a', 'b'],
		reason: 'this weighting trains no unimodal models',
		unimodal: null,
		best_unimodal: null,
		fusion_gain: null,
		partial_information: null,
	});
});
