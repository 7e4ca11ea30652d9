import type { ModalityDtype } from '@steelyard/contracts';
import type { CanonicalFolder } from './canonical-folder.js';
import { arrayTypeOf, type CanonicalArray } from './canonical-type.js';
import type { Numbers } from './element-type.js';
import { maskShape } from './mask.js';
import type { Member } from './member.js';
import { type NpyHeader, shapeText } from './npy-header.js';
import { readNpy } from './npy-reader.js';
import { type Range, widen } from './range.js';
import { type Place, refusal } from './refusal.js';
import { sameRows, someRows } from './row-count.js';

/** The form that the arrays of a modality must have in every split. */
export type ModalityForm = {
	/** The shape of one instance. */
	readonly shape: readonly number[];
	/** The file from which the shape is. */
	readonly from: string;
	readonly columns: readonly string[] | undefined;
	/** The steps, along the first axis of an instance, that a mask marks; null where it marks instances. */
	readonly steps: number | null;
	/** In which the values are kept. */
	readonly dtype: ModalityDtype;
};

/** An array whose header was read. */
export type Described = { readonly file: string; readonly header: NpyHeader };

/** The most axes of an array. */
const MOST_AXES = 8;

/** The shape of one instance of an array: `[features]`, `[steps, features]`, or of more axes. */
export function instanceShape({ file, header: { shape } }: Described): number[] {
	if (shape.length < 2 || shape.length > MOST_AXES)
		throw refusal(
			file,
			'shape (rows, features), (rows, steps, features) or of up to 8 axes, where "modalities" of a manifest.json does not say what else to read',
			shapeText(shape),
		);
	someRows(file, shape);
	if (shape.includes(0)) throw refusal(file, 'axes that are not empty', `shape ${shapeText(shape)}`);
	return shape.slice(1);
}

/**
 * The type in which a modality of these arrays, one per split, is kept: integers and bool in their own type; float32 where one of them is of floating type. Integer
 * types that differ are refused.
 */
export function storedType(arrays: readonly [Described, ...Described[]]): ModalityDtype {
	if (arrays.some(({ header }) => header.element.kind === 'float')) return 'float32';
	const [{ file, header }] = arrays;
	const other = arrays.find((array) => array.header.element !== header.element);
	if (other !== undefined) throw refusal(other.file, `elements of type ${header.element.name}, as ${file} has`, other.header.element.name);
	return header.element.name as ModalityDtype;
}

/** Refuses an array whose instances have another shape, or not one feature per named column. */
function checkForm(file: string, found: readonly number[], { shape, from, columns }: ModalityForm): void {
	if (found.join() !== shape.join()) throw refusal(file, `instances of shape ${shapeText(shape)}, as ${from} has`, shapeText(found));
	if (columns !== undefined && columns.length !== found.at(-1))
		throw refusal(file, `${columns.length} features, as manifest.json names columns`, `${found.at(-1)}`);
}

/** Numbers of one instance. */
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

/** Where the number at the flat index `at` lies. */
function placeOf(at: number, { shape, columns }: ModalityForm): Place {
	const size = sizeOf(shape);
	let rest = at % size;
	const index = shape
		.toReversed()
		.map((axis) => {
			const here = rest % axis;
			rest = Math.floor(rest / axis);
			return here;
		})
		.reverse();
	const row = Math.floor(at / size);
	const column = index.at(-1) as number;
	if (shape.length > 2) return { row, index };
	return { row, ...(shape.length === 2 ? { step: index[0] as number } : {}), column, columnName: columns?.[column] };
}

/**
 * The values in the type of the form, with 0 where the cell of the mask that holds them is 0; those of floating type must be finite in float32. `start` is the flat index
 * of the first value; `present` begins with its cell.
 */
function convert(
	file: string,
	values: Numbers,
	start: number,
	present: Uint8Array | null,
	cellSize: number,
	form: ModalityForm,
): CanonicalArray {
	const out = new (arrayTypeOf(form.dtype))(values.length);
	const zero = (form.dtype === 'int64' || form.dtype === 'uint64' ? 0n : 0) as never;
	const isFloat = form.dtype === 'float32';
	const isBool = form.dtype === 'bool';
	let cell = 0;
	let inCell = start % cellSize;
	for (let i = 0; i < values.length; i++) {
		const value = isFloat ? Math.fround(Number(values[i])) : values[i];
		if (isFloat && !Number.isFinite(value)) {
			const expected = Number.isFinite(values[i]) ? 'a number in the range of float32' : 'a finite number';
			throw refusal(file, expected, String(values[i]), placeOf(start + i, form));
		}
		if (present !== null && present[cell] !== 1) out[i] = zero;
		else out[i] = (isBool ? (value === 0 ? 0 : 1) : value) as never;
		if (++inCell === cellSize) {
			inCell = 0;
			cell++;
		}
	}
	return out;
}

/**
 * Copies `[rows, …shape]` in the type of the form, with zeros where the mask, which was written before under the name `mask`, is 0. Also the values under the mask must
 * be finite. What is written widens `range`.
 */
export async function copyModality(
	member: Member,
	name: string,
	mask: string | null,
	rows: number,
	labels: string,
	form: ModalityForm,
	range: Range,
	target: CanonicalFolder,
): Promise<void> {
	const cellSize = sizeOf(form.shape) / (form.steps ?? 1);
	await readNpy(member, async (array) => {
		checkForm(array.file, instanceShape(array), form);
		sameRows(array.file, array.header.shape, rows, labels);
		const present = mask === null ? null : await target.openMask(mask, maskShape(rows, form.steps));
		try {
			await target.writeArray(name, form.dtype, array.header.shape, async (append) => {
				for await (const { start, values } of array.blocks()) {
					const first = Math.floor(start / cellSize);
					const cells = present === null ? null : new Uint8Array(Math.floor((start + values.length - 1) / cellSize) - first + 1);
					if (cells !== null) await present?.read(first, cells);
					const converted = convert(array.file, values, start, cells, cellSize, form);
					widen(range, converted);
					await append(converted);
				}
			});
		} finally {
			await present?.close();
		}
	});
}
