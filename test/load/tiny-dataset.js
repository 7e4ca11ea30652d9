import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { encodeFloat16, encodeInt64 } from '../sample/npy.mjs';

/** The archive of a dataset of two modalities with ten rows to train on and ten to validate by. */
export async function tinyDataset() {
	const archive = new ZipFile();
	const rows = Array.from({ length: 10 }, (_, i) => [Math.sin(i), Math.cos(i)]);
	for (const split of ['train', 'valid']) {
		for (const modality of ['a', 'b']) archive.addBuffer(encodeFloat16(rows), `${split}_${modality}.npy`);
		archive.addBuffer(encodeInt64(rows.map((_, i) => i % 2)), `${split}_labels.npy`);
	}
	archive.end();
	return new Blob([await buffer(archive.outputStream)]);
}
