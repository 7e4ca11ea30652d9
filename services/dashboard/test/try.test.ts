import { describe, expect, it } from 'vitest';
import { compared, isRight, likeliest, predictionText } from '../src/page/try/compared.js';
import { meanOf } from '../src/page/try/mean-row.js';
import { choicesOf, controlOf, typedOf, valueOf } from '../src/page/try/row-form.js';

describe('the field of a column', () => {
	const column = (kind: 'number' | 'category' | 'text' | 'date' | 'vector', ...examples: string[]) => ({ kind, examples });

	it('is by its kind and by what it has to show', () => {
		expect(controlOf(column('number'), '87')).toBe('number');
		expect(controlOf(column('number'), '3,5')).toBe('line');
		expect(controlOf(column('category'), null)).toBe('choice');
		expect(controlOf(column('date'), '2024-01-26 15:30')).toBe('moment');
		expect(controlOf(column('date', '2024-01-26'), null)).toBe('date');
		expect(controlOf(column('date'), '26.1.2024')).toBe('line');
		expect(controlOf(column('vector'), null)).toBe('json');
	});

	it('gives what was typed, in the way in which the table has it', () => {
		expect(typedOf('moment', '2024-01-26 15:30')).toBe('2024-01-26T15:30');
		expect(valueOf('moment', '2024-01-26T15:45', '2024-01-26 15:30')).toEqual({ value: '2024-01-26 15:45' });
		expect(valueOf('number', '3.5')).toEqual({ value: 3.5 });
		expect(valueOf('number', ' ')).toEqual({ value: null });
		expect(valueOf('number', 'x')).toHaveProperty('problem');
		expect(valueOf('json', '[1, [2]]')).toEqual({ value: [1, [2]] });
		expect(valueOf('json', '{"a": 1}')).toHaveProperty('problem');
		expect(valueOf('json', '[1,')).toHaveProperty('problem');
		expect(typedOf('json', [1, 2])).toBe('[1,2]');
		expect(typedOf('number', null)).toBe('');
	});

	it('offers the values that are known, with the one that the row has', () => {
		expect(choicesOf(['a', 'b'], 'c')).toEqual(['a', 'b', 'c']);
		expect(choicesOf(['a', ''], null)).toEqual(['a']);
	});
});

it('takes the mean of rows in the place of a modality', () => {
	expect(meanOf([[[1, 2]], null, [[3, 6]]])).toEqual([[2, 4]]);
	expect(meanOf([[1], [2]], true)).toEqual([2]);
	expect(meanOf([null])).toBeNull();
	expect(
		meanOf([
			[null, 1],
			[null, 3],
		]),
	).toEqual([null, 2]);
});

describe('two predictions', () => {
	it('are held against each other by name', () => {
		expect(compared({ a: 1, b: 2 }, { b: 3, c: 4 })).toEqual([
			{ name: 'a', values: [1, null] },
			{ name: 'b', values: [2, 3] },
			{ name: 'c', values: [null, 4] },
		]);
		expect(compared({ a: 1 }, undefined)).toEqual([{ name: 'a', values: [1, null] }]);
	});

	it('show the classes that either finds likely', () => {
		const before = { probabilities: { a: 0.1, b: 0.2, c: 0.7 } };
		expect(likeliest(before, null, 3).classes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
		const { classes, more } = likeliest(before, { probabilities: { a: 0.8, b: 0.1, c: 0.1 } }, 2);
		expect(classes.map(({ name }) => name)).toEqual(['a', 'c']);
		expect(more).toBe(1);
	});

	it('are right or wrong by the label', () => {
		expect(isRight({ prediction: 'no' }, 'no')).toBe(true);
		expect(isRight({ prediction: '1' }, 1)).toBe(true);
		expect(isRight({ prediction: ['a', 'b'] }, ['b', 'a'])).toBe(true);
		expect(isRight({ prediction: ['a'] }, ['a', 'b'])).toBe(false);
		expect(isRight({ prediction: 3.2 }, 3)).toBeNull();
		expect(isRight({ prediction: 'no' }, null)).toBeNull();
		expect(predictionText({ prediction: [] })).toBe('none');
	});
});
