const END = 0x06054b50;
const ENTRY = 0x02014b50;
/** The record at the end of an archive, with the longest comment that may follow. */
const LONGEST_END = 22 + 65_535;
/** The most bytes of the directory of an archive that are read. */
const MOST = 16 * 2 ** 20;

/** The names of the files in a zip archive, by the directory at its end; null where that cannot be read. */
export async function zipNames(file: Blob): Promise<string[] | null> {
	const tail = new DataView(await file.slice(-LONGEST_END).arrayBuffer());
	let end = tail.byteLength - 22;
	while (end >= 0 && tail.getUint32(end, true) !== END) end--;
	if (end < 0) return null;
	const size = tail.getUint32(end + 12, true);
	const start = tail.getUint32(end + 16, true);
	if (size > MOST || start + size > file.size) return null;
	const bytes = await file.slice(start, start + size).arrayBuffer();
	const directory = new DataView(bytes);
	const names: string[] = [];
	for (let at = 0; at + 46 <= size && directory.getUint32(at, true) === ENTRY; ) {
		const length = directory.getUint16(at + 28, true);
		if (at + 46 + length > size) return null;
		const name = new TextDecoder().decode(new Uint8Array(bytes, at + 46, length));
		if (!name.endsWith('/')) names.push(name);
		at += 46 + length + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
	}
	return names;
}
