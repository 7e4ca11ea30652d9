// Mutations of the fields of a file in the wire format of Protocol Buffers, at any depth: https://protobuf.dev/programming-guides/encoding/
import { below, pick } from './bytes.js';

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const ODD = [0n, 1n, 2n, 127n, 128n, 255n, 65_536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n];

function varint(value) {
	const out = [];
	for (let left = value; ; left >>= 7n) {
		if (left < 128n) return Buffer.from([...out, Number(left)]);
		out.push(Number(left & 127n) | 128);
	}
}

/** The fields of a message, or null where the bytes are none. */
function fieldsOf(bytes) {
	const fields = [];
	let at = 0;
	const readVarint = () => {
		let value = 0n;
		for (let shift = 0n; shift < 70n; shift += 7n) {
			if (at >= bytes.length) return null;
			const byte = bytes[at++];
			value |= BigInt(byte & 127) << shift;
			if (byte < 128) return value;
		}
		return null;
	};
	while (at < bytes.length) {
		const tag = readVarint();
		if (tag === null || tag >> 3n === 0n) return null;
		const type = Number(tag & 7n);
		const field = { number: tag >> 3n, type };
		if (type === VARINT) {
			const value = readVarint();
			if (value === null) return null;
			fields.push({ ...field, value });
			continue;
		}
		const length = type === BYTES ? Number(readVarint() ?? -1n) : { [FIXED64]: 8, [FIXED32]: 4 }[type];
		if (length === undefined || length < 0 || at + length > bytes.length) return null;
		fields.push({ ...field, bytes: bytes.subarray(at, at + length) });
		at += length;
	}
	return fields;
}

const encodedField = ({ number, type, value, bytes, length }) => {
	const tag = varint((number << 3n) | BigInt(type));
	if (value !== undefined) return Buffer.concat([tag, varint(value)]);
	return Buffer.concat(type === BYTES ? [tag, varint(length ?? BigInt(bytes.length)), bytes] : [tag, bytes]);
};
const encoded = (fields) => Buffer.concat(fields.map(encodedField));

const mutations = {
	number: (field, next) => [{ ...field, number: pick(next, [field.number + 1n, 1n, 15n, 1000n, 2n ** 29n - 1n]) }],
	wireType: (field, next) => [{ ...field, type: pick(next, [VARINT, FIXED64, BYTES, 3, 4, FIXED32, 7]) }],
	value: (field, next) => [field.value === undefined ? field : { ...field, value: pick(next, ODD) }],
	length: (field, next) => [field.type === BYTES ? { ...field, length: pick(next, [...ODD, BigInt(field.bytes.length + 1)]) } : field],
	empty: (field) => [field.bytes === undefined ? { ...field, value: 0n } : { ...field, bytes: Buffer.alloc(0) }],
	text: (field, next) => [
		field.type === BYTES
			? { ...field, bytes: Buffer.from(pick(next, ['', '\u0000', 'nowhere', '__proto__', 'constructor', 'é'.repeat(500), '../x'])) }
			: field,
	],
	without: () => [],
	twice: (field) => [field, field],
	nested: (field) => {
		let { bytes } = field;
		if (field.type !== BYTES || bytes.length > 100_000) return [field];
		// One message in another, a few hundred deep: what reads it by recursion has to stand that.
		for (let depth = 0; depth < 300; depth++) bytes = encodedField({ ...field, bytes });
		return [{ ...field, bytes }];
	},
};

/** A file of fields with one to three of them changed, each by its place or length or value; the lengths of what holds them stay right. */
export function changedFields(bytes, next) {
	let out = bytes;
	for (let n = 1 + below(next, 3); n > 0; n--) out = changedField(out, next) ?? out;
	return out;
}

function changedField(bytes, next) {
	const fields = fieldsOf(bytes);
	if (fields === null || fields.length === 0) return null;
	// Mostly what is large, which holds the rest: the graph, and not the version of the exporter.
	const weights = fields.map((field) => 1 + Math.log2(1 + (field.bytes?.length ?? 0)));
	let left = next() * weights.reduce((sum, weight) => sum + weight, 0);
	const at = Math.max(
		0,
		weights.findIndex((weight) => (left -= weight) < 0),
	);
	const field = fields[at];
	const inner = field.type === BYTES && next() < 0.8 ? changedField(field.bytes, next) : null;
	const changed = inner === null ? pick(next, Object.values(mutations))(field, next) : [{ ...field, bytes: inner }];
	return encoded(fields.toSpliced(at, 1, ...changed));
}
