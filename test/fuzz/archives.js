// Zip archives written field by field, so that any of the fields can be wrong (APPNOTE 6.3.10). Everything is a function of the seed.
import { crc32, deflateRawSync } from 'node:zlib';
import { below, changedBytes, pick } from './bytes.js';

const U32 = [0, 1, 2, 255, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
const LINK = (0o120777 << 16) >>> 0;

/** An archive as what is written: its entries and the record at its end. `files`: contents by name. */
export function archiveOf(files, { deflated = true } = {}) {
	const entries = Object.entries(files).map(([name, data]) => {
		const contents = Buffer.from(data);
		const packed = deflated ? deflateRawSync(contents, { level: 1 }) : contents;
		return {
			name: Buffer.from(name),
			localName: Buffer.from(name),
			packed,
			method: deflated ? 8 : 0,
			flags: 0x800,
			crc: crc32(contents),
			packedSize: packed.length,
			size: contents.length,
			attributes: (0o100644 << 16) >>> 0,
			extra: Buffer.alloc(0),
			offset: null,
		};
	});
	return { entries, end: {}, prefix: Buffer.alloc(0) };
}

const local = ({ localName, packed, method, flags, crc, packedSize, size, extra }) => {
	const head = Buffer.alloc(30);
	head.writeUInt32LE(0x04034b50, 0);
	head.writeUInt16LE(20, 4);
	head.writeUInt16LE(flags, 6);
	head.writeUInt16LE(method, 8);
	head.writeUInt32LE(crc, 14);
	head.writeUInt32LE(packedSize >>> 0, 18);
	head.writeUInt32LE(size >>> 0, 22);
	head.writeUInt16LE(localName.length & 0xffff, 26);
	head.writeUInt16LE(extra.length, 28);
	return Buffer.concat([head, localName, extra, packed]);
};

const central = ({ name, method, flags, crc, packedSize, size, attributes, extra }, offset) => {
	const head = Buffer.alloc(46);
	head.writeUInt32LE(0x02014b50, 0);
	head.writeUInt16LE(0x0314, 4);
	head.writeUInt16LE(20, 6);
	head.writeUInt16LE(flags, 8);
	head.writeUInt16LE(method, 10);
	head.writeUInt32LE(crc, 16);
	head.writeUInt32LE(packedSize >>> 0, 20);
	head.writeUInt32LE(size >>> 0, 24);
	head.writeUInt16LE(name.length & 0xffff, 28);
	head.writeUInt16LE(extra.length, 30);
	head.writeUInt32LE(attributes, 38);
	head.writeUInt32LE(offset, 42);
	return Buffer.concat([head, name, extra]);
};

/** The bytes of an archive. */
export function written({ entries, end, prefix }) {
	const parts = [prefix];
	let at = prefix.length;
	const offsets = [];
	const add = (bytes) => {
		parts.push(bytes);
		at += bytes.length;
	};
	for (const entry of entries) {
		offsets.push(entry.offset ?? at);
		add(local(entry));
	}
	const start = at;
	for (const [i, entry] of entries.entries()) add(central(entry, offsets[i]));
	const size = at - start;
	const tail = Buffer.alloc(22);
	tail.writeUInt32LE(0x06054b50, 0);
	tail.writeUInt16LE(end.disk ?? 0, 4);
	tail.writeUInt16LE(end.count ?? entries.length, 8);
	tail.writeUInt16LE(end.count ?? entries.length, 10);
	tail.writeUInt32LE(end.size ?? size, 12);
	tail.writeUInt32LE(end.offset ?? start, 16);
	tail.writeUInt16LE(end.comment ?? 0, 20);
	add(tail);
	return Buffer.concat(parts);
}

/** Names that lead elsewhere, or that a file system, an object or a terminal takes for something. `outside`: the path of a folder that is not the service's. */
const hostileNames = (outside) => [
	'',
	'.',
	'..',
	'../escaped.npy',
	'../../../../escaped.npy',
	'a/../../escaped.npy',
	'..\\escaped.npy',
	'C:\\escaped.npy',
	`${outside}/escaped.npy`,
	`train_../../../${outside}/escaped.npy`,
	'train_a/b.npy',
	'folder/',
	'train_\u0000.npy',
	'train_a\nb.npy',
	'train___proto__.npy',
	'train_constructor.npy',
	'__proto__',
	'manifest.json',
	'profile.json',
	'dataset.json',
	'train_labels.npy',
	`train_${'x'.repeat(250)}.npy`,
	`train_${'🦆'.repeat(70)}.npy`,
	'x'.repeat(60_000),
];

const ofEntry = (change) => (archive, next, outside) => {
	if (archive.entries.length === 0) return archive;
	const at = below(next, archive.entries.length);
	return { ...archive, entries: archive.entries.toSpliced(at, 1, ...[change(archive.entries[at], next, outside, archive)].flat()) };
};
const zip64 = (values) => {
	const extra = Buffer.alloc(4 + values.length * 8);
	extra.writeUInt16LE(1, 0);
	extra.writeUInt16LE(values.length * 8, 2);
	for (const [i, value] of values.entries()) extra.writeBigUInt64LE(value, 4 + i * 8);
	return extra;
};
const bomb = deflateRawSync(Buffer.alloc(40 * 2 ** 20));

const mutations = {
	name: ofEntry((entry, next, outside) => {
		const name = Buffer.from(pick(next, hostileNames(outside)));
		return { ...entry, name, localName: name };
	}),
	localName: ofEntry((entry, next, outside) => ({ ...entry, localName: Buffer.from(pick(next, hostileNames(outside))) })),
	nameBytes: ofEntry((entry, next) => ({ ...entry, name: entry.name.length === 0 ? entry.name : changedBytes(entry.name, next) })),
	method: ofEntry((entry, next) => ({ ...entry, method: pick(next, [0, 1, 8, 9, 12, 14, 93, 95, 99, 65_535]) })),
	flags: ofEntry((entry, next) => ({ ...entry, flags: pick(next, [0, 1, 8, 0x20, 0x40, 0x801, 0x808, 0x2000, 0xffff]) })),
	crc: ofEntry((entry, next) => ({ ...entry, crc: pick(next, U32) })),
	size: ofEntry((entry, next) => ({ ...entry, size: pick(next, [...U32, entry.size + 1, Math.max(0, entry.size - 1)]) })),
	packedSize: ofEntry((entry, next) => ({ ...entry, packedSize: pick(next, [...U32, entry.packedSize + 1]) })),
	offset: ofEntry((entry, next) => ({ ...entry, offset: pick(next, [...U32, 10, 200]) })),
	link: ofEntry((entry) => ({ ...entry, attributes: LINK })),
	attributes: ofEntry((entry, next) => ({ ...entry, attributes: pick(next, [...U32, (0o020777 << 16) >>> 0, (0o010777 << 16) >>> 0]) })),
	zip64: ofEntry((entry, next) => ({
		...entry,
		size: 2 ** 32 - 1,
		packedSize: 2 ** 32 - 1,
		extra: zip64([pick(next, [0n, BigInt(entry.size), 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]), BigInt(entry.packedSize)]),
	})),
	extra: ofEntry((entry, next) => ({ ...entry, extra: Buffer.from(Array.from({ length: below(next, 60) }, () => below(next, 256))) })),
	packed: ofEntry((entry, next) => ({ ...entry, packed: entry.packed.length === 0 ? entry.packed : changedBytes(entry.packed, next) })),
	twice: ofEntry((entry) => [entry, entry]),
	// Both of them unpack the same bytes, as the entries of a bomb do that overlap.
	overlap: (archive, next) => {
		const [first] = archive.entries;
		if (first === undefined) return archive;
		const copies = Array.from({ length: pick(next, [2, 50, 5000]) }, (_, i) => ({
			...first,
			name: Buffer.from(`copy_${i}.npy`),
			packed: Buffer.alloc(0),
			offset: archive.prefix.length,
		}));
		return { ...archive, entries: [...archive.entries, ...copies] };
	},
	bomb: ofEntry((entry, next) => ({
		...entry,
		packed: bomb,
		method: 8,
		packedSize: bomb.length,
		size: pick(next, [40 * 2 ** 20, entry.size]),
		crc: pick(next, [entry.crc, 0]),
	})),
	without: ofEntry(() => []),
	order: (archive) => ({ ...archive, entries: archive.entries.toReversed() }),
	count: (archive, next) => ({ ...archive, end: { ...archive.end, count: pick(next, [0, 1, 3, 255, 65_534, 65_535]) } }),
	directory: (archive, next) => ({ ...archive, end: { ...archive.end, [pick(next, ['size', 'offset'])]: pick(next, U32) } }),
	comment: (archive, next) => ({ ...archive, end: { ...archive.end, comment: pick(next, [1, 255, 65_535]) } }),
	disk: (archive, next) => ({ ...archive, end: { ...archive.end, disk: pick(next, [1, 65_535]) } }),
	prefix: (archive, next) => ({ ...archive, prefix: Buffer.alloc(1 + below(next, 300), pick(next, ['PK\u0005\u0006', 'x'])) }),
};

/** A mutant of an archive: one to three of its fields, and now and then bytes of the whole. */
export function mutantArchive(archive, next, outside) {
	let changed = archive;
	for (let n = 1 + below(next, 3); n > 0; n--) changed = pick(next, Object.values(mutations))(changed, next, outside);
	const bytes = written(changed);
	return next() < 0.2 ? changedBytes(bytes, next) : bytes;
}
