// Mutations of JSON: of the value, and of its text. Everything is a function of the seed.
import { below, changedBytes, pick } from './bytes.js';

const KEYS = [
	'__proto__',
	'constructor',
	'toString',
	'length',
	'',
	'a\u0000b',
	'ü',
	'x'.repeat(300),
	'name',
	'type',
	'shape',
	'classes',
	'model',
	'training',
];
const LEAVES = [
	null, true, false, 0, -0, 1, -1, 0.5, 1e308, -1e308, 5e-324, 2 ** 31, 2 ** 53, 1e9, '', '0', 'null', '\u0000', '\ud800', 'a\nb', '..', '/etc/passwd', '__proto__',
	'constructor', 'x'.repeat(10_000), '(a+)+$', '🦆'.repeat(100), [], {}, [[]], [null], { a: {} }, 'NaN', 'mlp-fusion', 'custom', 'adamw',
]; // biome-ignore format: a list of values

const isNested = (value) => typeof value === 'object' && value !== null;

/** A value with something changed in it, at a random place. */
function changed(value, next) {
	if (!isNested(value) || Object.keys(value).length === 0 || next() < 0.1) return pick(next, LEAVES);
	const key = pick(next, Object.keys(value));
	if (next() < 0.7) return replaced(value, key, changed(value[key], next));
	switch (below(next, 5)) {
		case 0:
			return without(value, key);
		case 1:
			return added(value, pick(next, KEYS), value[key]);
		case 2:
			return added(without(value, key), pick(next, KEYS), value[key]);
		case 3:
			return added(value, pick(next, KEYS), pick(next, LEAVES));
		default:
			return Array.isArray(value)
				? Array.from({ length: pick(next, [100, 3000]) }, () => value[key])
				: Object.fromEntries(Array.from({ length: pick(next, [100, 3000]) }, (_, i) => [`${key}${i}`, value[key]]));
	}
}
const replaced = (value, key, inner) =>
	Array.isArray(value)
		? value.with(Number(key), inner)
		: Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name === key ? inner : one]));
const without = (value, key) =>
	Array.isArray(value) ? value.toSpliced(Number(key), 1) : Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
// A literal `__proto__` would set the prototype; an entry is a field of that name, as JSON.parse makes it.
const added = (value, key, inner) =>
	Array.isArray(value) ? [...value, inner] : Object.fromEntries([...Object.entries(value), [key, inner]]);

const texts = {
	bytes: (text, next) => changedBytes(Buffer.from(text), next),
	deep: (_, next) => {
		const depth = pick(next, [70, 5000, 100_000]);
		return next() < 0.5 ? `${'['.repeat(depth)}${']'.repeat(depth)}` : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
	},
	order: (text, next) => text.replace(/"(\w+)":/, (field, name) => `"${pick(next, KEYS)}":1,${field}"${name}":2,${field}`),
	number: (text, next) =>
		text.replace(/\d+/, () => pick(next, ['1e999', '-1e999', '0x1', '01', '1'.repeat(5000), 'NaN', 'Infinity', '1.', '-'])),
	comment: (text) => `/* a comment */ ${text}`,
	mark: (text) => `\ufeff${text}`,
	twice: (text) => text + text,
	utf16: (text) => Buffer.from(text, 'utf16le'),
	invalid: (text) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xfe, 0x22, 0x7d])]),
	nothing: () => '',
};

/** The bytes of a mutant of a JSON value. */
export function mutantJson(value, next) {
	let out = value;
	for (let n = 1 + below(next, 3); n > 0; n--) out = changed(out, next);
	const text = JSON.stringify(out) ?? '';
	return Buffer.from(next() < 0.25 ? pick(next, Object.values(texts))(JSON.stringify(value), next) : text);
}
