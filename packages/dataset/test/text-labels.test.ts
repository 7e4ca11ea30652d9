import { describe, expect, it } from 'vitest';
import { openDataset } from '../src/index.js';
import { ingestFiles, refused } from './ingest-files.js';
import { npy, small } from './write-npy.js';

/** The bytes of an array of texts as NumPy writes it, in the byte order that is asked. */
function texts(labels: readonly string[], { order = '<', width = Math.max(...labels.map((label) => [...label].length)) } = {}): Buffer {
	const header = `{'descr': '${order}U${width}', 'fortran_order': False, 'shape': (${labels.length},), }`;
	const points = Buffer.alloc(4 * width * labels.length);
	labels.forEach((label, row) => {
		[...label].forEach((character, i) => points.writeUInt32LE(character.codePointAt(0) as number, 4 * (row * width + i)));
	});
	if (order === '>') points.swap32();
	return Buffer.concat([npy('<i4', [0], [], header), points]);
}

const labelled = (train: Buffer, test: Buffer) => ({ ...small(), 'train_labels.npy': train, 'test_labels.npy': test });
const yesNo = texts(['yes', 'no', 'no', 'yes']);

describe('labels that are texts', () => {
	it.each(['<', '>'])('are classes in the order of the alphabet, in the byte order %s', async (order) => {
		const { profile, folder, manifest } = await ingestFiles(
			labelled(texts(['ja', 'nein', 'nein', 'é😀'], { order }), texts(['nein', 'ja'], { order })),
		);
		expect(profile.task).toMatchObject({ type: 'multiclass', classes: ['ja', 'nein', 'é😀'] });
		expect(manifest).toBeNull();
		const dataset = openDataset(folder);
		expect([...dataset.split('train').labels, ...dataset.split('test').labels]).toEqual([0, 1, 1, 2, 1, 0]);
	});

	it('are binary where there are two, and stand in the order of the manifest where that names them', async () => {
		expect((await ingestFiles(labelled(yesNo, texts(['no', 'yes'])))).profile.task).toMatchObject({
			type: 'binary',
			classes: ['no', 'yes'],
		});
		const task = JSON.stringify({ task: { type: 'binary', classes: ['yes', 'no'] } });
		const { profile } = await ingestFiles({ ...labelled(yesNo, texts(['no', 'no'])), 'manifest.json': task });
		expect(profile.splits).toMatchObject({ train: { labels: { yes: 2, no: 2 } }, test: { labels: { yes: 0, no: 2 } } });
	});

	it('are refused with the row where one is no class, and where they cannot be', async () => {
		await refused(
			labelled(yesNo, texts(['no', 'perhaps'])),
			'test_labels.npy row 1: expected one of the classes "no", "yes", found "perhaps"',
			'test_labels.npy',
		);
		await refused(
			labelled(yesNo, npy('<i8', [2], [0, 1])),
			'test_labels.npy: expected labels that are texts, as those of train are, found numbers',
			'test_labels.npy',
		);
		await refused(
			labelled(texts(['a', '', 'b', 'a']), yesNo),
			'train_labels.npy row 1: expected labels of 1 to 200 characters, found ""',
			'train_labels.npy',
		);
		await refused(
			labelled(yesNo.subarray(0, yesNo.length - 1), yesNo),
			/train_labels.npy: expected \d+ bytes, by its header, found \d+/,
			'train_labels.npy',
		);
		const regression = JSON.stringify({ task: { type: 'regression' } });
		await refused(
			{ ...labelled(yesNo, yesNo), 'manifest.json': regression },
			'task.type binary or multiclass for labels that are texts',
			'manifest.json',
		);
	});
});
