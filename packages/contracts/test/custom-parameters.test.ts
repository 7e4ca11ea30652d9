import { describe, expect, it } from 'vitest';
import { chosenParameters, finderOf } from '../src/families/custom/parameters.js';
import type { ModelParameter } from '../src/index.js';

const parameter = (name: string, trainable = true): ModelParameter => ({ name, dtype: 'float32', shape: [1], trainable, reason: '' });
const PARAMETERS = [
	parameter('encoder.0.weight'),
	parameter('encoder.0.bias'),
	parameter('encoder.1.weight'),
	parameter('head.weight'),
	parameter('sqrt_two', false),
];
const named = (glob: string) => finderOf(PARAMETERS)(glob).map(({ name }) => name);

describe('a glob', () => {
	it.each([
		['encoder.*', ['encoder.0.weight', 'encoder.0.bias', 'encoder.1.weight']],
		['*.weight', ['encoder.0.weight', 'encoder.1.weight', 'head.weight']],
		['encoder.*.weight', ['encoder.0.weight', 'encoder.1.weight']],
		['e*0*s', ['encoder.0.bias']],
		['head.weight', ['head.weight']],
		['head.weight*', ['head.weight']],
		['head', []],
		['h.*', []],
		['encoder.0.weigh*ght', []],
		['sqrt*', ['sqrt_two']],
	])('%s means %j', (glob, names) => expect(named(glob)).toEqual(names));

	it('of many stars is matched in a moment', () => {
		const started = performance.now();
		expect(finderOf([parameter('a'.repeat(512))])(`${'a*'.repeat(250)}b`)).toEqual([]);
		// By backtracking it would take longer than anybody waits; as it is, microseconds.
		expect(performance.now() - started).toBeLessThan(1000);
	});
});

describe('the parameters of a job', () => {
	const chosen = (config: Parameters<typeof chosenParameters>[0]) => chosenParameters(config, PARAMETERS).map(({ name }) => name);

	it('are those that inspection found trainable, of them those that are named, those that are named in full, and never those that are frozen', () => {
		expect(chosen({})).toEqual(['encoder.0.weight', 'encoder.0.bias', 'encoder.1.weight', 'head.weight']);
		expect(chosen({ trainable: ['sqrt*', 'head.*'] })).toEqual(['head.weight']);
		expect(chosen({ trainable: ['sqrt_two', 'head.*'] })).toEqual(['head.weight', 'sqrt_two']);
		expect(chosen({ frozen: ['encoder.*'] })).toEqual(['head.weight']);
		expect(chosen({ trainable: ['encoder.*'], frozen: ['*.0.*'] })).toEqual(['encoder.1.weight']);
		expect(chosen({ frozen: ['*'] })).toEqual([]);
	});
});
