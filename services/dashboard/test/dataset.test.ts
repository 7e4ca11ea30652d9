import { describe, expect, it } from 'vitest';
import { shapeWords, taskWords } from '../src/page/data/dataset-facts.js';
import { boundWords, knownValues } from '../src/page/data/distribution.js';
import { labelBalance, MOST_CLASSES } from '../src/page/data/label-balance.js';
import { labelText } from '../src/page/data/label-text.js';
import { cellText, listShape, numbersIn } from '../src/page/data/shown-value.js';
import { metadataChange } from '../src/page/parts/metadata-change.js';

describe('words about a dataset', () => {
	it('say what is predicted', () => {
		expect(taskWords({ type: 'multiclass', outputs: 1200 })).toBe('one of 1,200 classes');
		expect(taskWords({ type: 'binary', outputs: 1 })).toBe('one of 2 classes');
		expect(taskWords({ type: 'multilabel', outputs: 3 })).toBe('any of 3 labels');
		expect(taskWords({ type: 'regression', outputs: 1, positions: [8] })).toBe('a number for each position');
	});

	it('say the shape of a row', () => {
		expect(shapeWords([8, 1024])).toBe('8 × 1,024');
	});
});

describe('the balance of labels', () => {
	it('is the share of each class in its split, the most frequent class first', () => {
		const { parts, groups, more } = labelBalance(
			{ train: { rows: 10, labels: { no: 2, yes: 8 } }, test: { rows: 4, labels: { no: 1, yes: 3 } } },
			false,
		);
		expect(parts).toEqual(['train', 'test']);
		expect(groups).toEqual([
			{ name: 'yes', values: [0.8, 0.75] },
			{ name: 'no', values: [0.2, 0.25] },
		]);
		expect(more).toBe(0);
	});

	it('is of the rows where each has several labels', () => {
		const { groups } = labelBalance({ train: { rows: 10, labels: { a: 8, b: 6 } } }, true);
		expect(groups.map(({ values }) => values)).toEqual([[0.8], [0.6]]);
	});

	it('leaves rare classes out and says how many', () => {
		const labels = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`class ${i}`, 50 - i]));
		const { groups, more } = labelBalance({ train: { rows: 1, labels } }, false);
		expect(groups).toHaveLength(MOST_CLASSES);
		expect(more).toBe(50 - MOST_CLASSES);
	});
});

describe('a change of metadata', () => {
	it('sets what is new or other, and removes what is gone', () => {
		const edited = [
			{ key: 'same', text: '1' },
			{ key: ' new ', text: 'a' },
			{ key: 'other', text: '' },
			{ key: '', text: '' },
		];
		expect(metadataChange({ same: '1', other: '2', gone: '3' }, edited)).toEqual({ change: { gone: null, new: 'a', other: '' } });
	});

	it('wants a name for each text, and each name once', () => {
		expect(metadataChange({}, [{ key: ' ', text: 'a' }])).toEqual({ problem: 'This text needs a name.', at: 0 });
		const twice = [
			{ key: 'a', text: '1' },
			{ key: 'a ', text: '2' },
		];
		expect(metadataChange({}, twice)).toEqual({ problem: 'a is there twice.', at: 1 });
	});
});

describe('a value of a row', () => {
	it('gives its numbers and its shape', () => {
		const value = [[1, 2, 3], null, [4, 5, 6]];
		expect(numbersIn(value, 100)).toEqual([1, 2, 3, 4, 5, 6]);
		expect(numbersIn(value, 4)).toEqual([1, 2, 3, 4]);
		expect(listShape(value)).toEqual([3, 3]);
		expect(listShape([null, [1, 2]])).toEqual([2, 2]);
	});

	it('is cut where it is long, and is null where nothing is there', () => {
		expect(cellText('abcdef', 4)).toBe('abc…');
		expect(cellText([1, 0.123456])).toBe('[1,0.1235]');
		expect(cellText(0)).toBe('0');
		expect([cellText(''), cellText(null), cellText(undefined)]).toEqual([null, null, null]);
	});

	it('has a label as text', () => {
		expect(labelText(['a', 'b'])).toBe('a, b');
		expect(labelText([])).toBe('none');
		expect(labelText(0)).toBe('0');
		expect(labelText([1, null])).toBe('1, –');
	});
});

describe('how a column is spread', () => {
	it('says days where the range is long, and minutes where it is short', () => {
		const day = 86_400;
		expect(boundWords({ of: 'dates', min: 0, max: 100 * day }, 1.5 * day)).toBe('1970-01-02');
		expect(boundWords({ of: 'dates', min: 0, max: day }, day / 2)).toBe('1970-01-01 12:00');
		expect(boundWords({ of: 'words', min: 0, max: 9 }, 4)).toBe('4');
	});

	it('gives the values that are known, the most frequent first', () => {
		const examples = ['a', 'b'];
		expect(knownValues({ examples, distribution: { of: 'values', count: 9, values: [{ value: 'b', count: 6 }], others: 3 } })).toEqual([
			'b',
			'a',
		]);
		expect(knownValues({ examples })).toEqual(['a', 'b']);
	});
});
