import { expect, it } from 'vitest';
import { missingTexts, numberOf, textOf } from '../src/cells.js';

const MISSING = [
	'',
	'NA',
	'na',
	'N/A',
	'NaN',
	'nan',
	'NULL',
	'None',
	'?',
	'<NA>',
	'#N/A N/A',
	'-1.#IND',
	'1.#qnan',
	' na ',
	'\u00a0NA',
	'\u3000',
];
const PRESENT = ['n', 'nana', 'NAN1', '1.5', '-1', 'noné', 'K', 'N/A N/A', 'nul', '1.#', 'x'.repeat(300), '#'];

it('tells texts that mean that nothing is there, in any case and with spaces around', () => {
	const missing = missingTexts({});
	for (const cell of MISSING) expect(textOf(cell, missing), JSON.stringify(cell)).toBeNull();
	for (const cell of PRESENT) expect(textOf(` ${cell}\t`, missing), JSON.stringify(cell)).toBe(cell);
	// Kelvin and the dotted I become letters of ASCII in lower case, the second two of them.
	const own = missingTexts({ missing: ['KEINE', 'nİcht', 'blank'] });
	for (const cell of ['keine', '\u212aeine', 'Keine ', 'NİCHT', 'BLAN\u212a']) expect(textOf(cell, own), cell).toBeNull();
	expect(textOf('NA', own)).toBe('NA');
	expect(textOf('NA', missing)).toBeNull();
});

it.each([
	['1', 1],
	['-1.5e3', -1500],
	['+.5', 0.5],
	['3.', 3],
	['1,5', Number.NaN],
	['.', Number.NaN],
	['1/2', Number.NaN],
	['0x10', Number.NaN],
	['1e', Number.NaN],
	['٣', Number.NaN],
	['', Number.NaN],
])('reads %j as the number %d', (text, number) => {
	expect(numberOf(text, '.')).toBe(number);
});

it('reads decimal commas where they are meant', () => {
	expect([',5', '3,', '1,25', '-7', '1.5', '1,2,3'].map((text) => numberOf(text, ','))).toEqual([0.5, 3, 1.25, -7, Number.NaN, Number.NaN]);
});
