import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableManifest } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { FEATURISER_FILE } from '@steelyard/features';
import { createSession } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { columnOf, csv, ingest, refusal } from './ingesting.js';

const fixture = (file: string) => readFile(new URL(`fixtures/${file}`, import.meta.url), 'utf8');
const y = (row: number): string => (row % 3 === 0 ? 'yes' : 'no');
const text = (row: number): string =>
	row % 10 === 4 ? '' : `Pain ${['in', 'of'][row % 2]} the ${['knee', 'hip', 'BACK'][row % 3]} since word${row}`;

/** The ids of all rows of a split, with -1 where no word is. */
function idsOf(target: string, name: string, size: number): number[][] {
	const { rows, gather, mask } = openDataset(target).split(name);
	const ids = new Int32Array(rows * size);
	gather(
		'note',
		Uint32Array.from({ length: rows }, (_, i) => i),
		ids,
	);
	const marks = mask('note') as Uint8Array;
	return Array.from({ length: rows }, (_, row) =>
		Array.from({ length: size }, (_, i) => (marks[row * size + i] === 1 ? (ids[row * size + i] as number) : -1)),
	);
}

describe('text as tokens', () => {
	it('becomes the ids that scikit-learn gives its words', async () => {
		const { words, tokens }: { words: string[]; tokens: number[][] } = JSON.parse(await fixture('expected.json'));
		const { profile, target } = await ingest(await fixture('visits.csv'), {
			split: 'split',
			columns: { note: { text: 'note' } },
			texts: { as: 'tokens', tokens: 8, vocabulary: 12 },
		});
		expect(profile.modalities['note']).toMatchObject({
			shape: [8],
			dtype: 'int32',
			mask: 'steps',
			tokens: words.length + 1,
			standardize: false,
		});
		expect(columnOf(profile, 'note')).toMatchObject({ kind: 'text', features: 8 });
		expect(profile.table?.standard).toBe(false);
		const train = openDataset(target).split('train').rows;
		expect(idsOf(target, 'train', 8)).toEqual(tokens.slice(0, train));
		expect(idsOf(target, 'test', 8)).toEqual(tokens.slice(train));
	});

	it('shares one id among words of one training row and those of none, and lacks rows without words', async () => {
		const manifest: TableManifest = { split: 's', texts: { as: 'tokens', tokens: 6 }, columns: { note: { text: 'note' } } };
		const { profile, target } = await ingest(csv(40, { note: text, s: (row) => (row < 30 ? 'train' : 'test'), y }), manifest);
		expect(profile.modalities['note']?.missing).toBe(4 / 40);
		const session = await createSession(await readFile(join(target, FEATURISER_FILE)));
		const run = async (data: string[]) => session.run({ 'column/note': { dtype: 'string', shape: [data.length], data } });
		const given = await run(['never seen', '', 'the PAIN, the pain; the pain the pain']);
		expect(given['x.note']).toMatchObject({ dtype: 'int32', shape: [3, 6] });
		// "pain", "since" and "the" are in all rows, in the order of the alphabet
		expect(Array.from(given['x.note']?.data as Int32Array)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 3, 1, 3, 1]);
		expect(Array.from(given['mask.note']?.data as Float32Array)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
		const nothing = await run(['', '.']);
		expect(Array.from(nothing['mask.note']?.data as Float32Array)).toEqual(new Array(12).fill(0));
		await session.release();
	});

	it('is alone in its modality', async () => {
		const { message } = await refusal(csv(40, { note: text, x: (row) => row % 7, y }), {
			texts: { as: 'tokens' },
			columns: { both: { text: 'note', number: 'x' } },
		});
		expect(message).toMatch(/columns.both: expected a column of tokens alone, found "note" among note, x/);
	});
});
