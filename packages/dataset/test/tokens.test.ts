import { describe, expect, it } from 'vitest';
import { ingestFiles, refused } from './ingest-files.js';
import { type Descr, type Files, npy } from './write-npy.js';

/** Four rows of two ids of tokens, of which there are `tokens`. */
const ids = (
	values: readonly number[],
	{ tokens = 9, descr = '<u2', shape = [4, 2] }: { tokens?: number; descr?: Descr; shape?: number[] } = {},
): Files => ({
	'train_note.npy': npy(descr, shape, values),
	'train_labels.npy': npy('<i8', [4], [0, 1, 0, 1]),
	'manifest.json': JSON.stringify({ task: { type: 'binary' }, modalities: { note: { tokens } } }),
});
const SOME = [0, 8, 3, 3, 1, 2, 4, 0];

describe('ids of tokens', () => {
	it('are kept in their type, and on no scale', async () => {
		const { profile } = await ingestFiles(ids(SOME));
		expect(profile.modalities['note']).toMatchObject({ shape: [2], dtype: 'uint16', tokens: 9, standardize: false });
	});

	it('may be ragged, where what is filled up counts for nothing', async () => {
		const { 'train_note.npy': _, ...rest } = ids([]);
		const ragged = {
			'train_note_values.npy': npy('<i4', [5], [1, 2, 3, 4, 8]),
			'train_note_offsets.npy': npy('<i8', [5], [0, 1, 1, 2, 5]),
		};
		const { profile } = await ingestFiles({ ...rest, ...ragged });
		expect(profile.modalities['note']).toMatchObject({ shape: [3], mask: 'steps', missing: 0.25, tokens: 9 });
	});

	it('are refused with their row where there is no such token', async () => {
		await refused(
			ids([0, 8, 3, 9, 1, 2, 4, 0]),
			'train_note.npy row 1, column 1: expected the id of a token, 0 to 8, found 9',
			'train_note.npy',
		);
		await refused(
			ids([0, 8, 3, 3, -1, 2, 4, 0], { descr: '<i8' }),
			/row 2, column 0: expected the id of a token, 0 to 8, found -1/,
			'train_note.npy',
		);
	});

	it('are whole numbers of a vector', async () => {
		await refused(
			ids(SOME, { descr: '<f4' }),
			/expected ids of tokens, of an integer type, as manifest.json says, found float32/,
			'train_note.npy',
		);
		await refused(
			ids([...SOME, ...SOME], { shape: [4, 2, 2] }),
			/expected ids of tokens, of shape \(rows, tokens\), found instances of shape \(2, 2\)/,
			'train_note.npy',
		);
		await refused(ids(SOME, { tokens: 1 }), /modalities.note.tokens/, 'manifest.modalities.note.tokens');
	});
});
