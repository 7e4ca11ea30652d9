import type { ModalityDtype } from '@steelyard/contracts';
import type { CanonicalFolder } from './canonical-folder.js';
import { arrayTypeOf, type CanonicalArray, widthOf } from './canonical-type.js';
import type { Numbers } from './element-type.js';
import type { ModalityFiles } from './layout.js';
import { type Lengths, lengthsByOffsets, paddedLengths } from './lengths.js';
import { maskShape } from './mask.js';
import type { Member } from './member.js';
import { type NpyHeader, shapeText } from './npy-header.js';
import { readNpy } from './npy-reader.js';
import { paddedBlocks } from './padded-blocks.js';
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
	/** How many ids of tokens there are, where the values are such; else null. */
	readonly tokens: number | null;
};

/** An array whose header was read. */
export type Described = { readonly file: string; readonly header: NpyHeader };

/** The array of a modality in one split; `shape` is that of one instance, of the longest where the array is ragged. */
export type ModalityArray = Described & {
	readonly shape: readonly number[];
	/** How much of each row is there; null where no array says so. */
	readonly lengths: Lengths | null;
	/** How many steps of a row the file holds. */
	stepsOf(row: number): number;
};

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

/** Refuses an array of ragged values that is not `[total, …shape of a step]`. */
function checkRagged({ file, header: { shape } }: Described, offsets: string): void {
	// rows, the axis that filled-up instances have more, count too
	if (shape.length < 1 || shape.length > MOST_AXES - 1 || shape.slice(1).includes(0))
		throw refusal(
			file,
			`the values of all rows of ${offsets} one after the other, of shape (total, features), (total,) or of up to ${MOST_AXES - 1} axes that are not empty but for the first`,
			`shape ${shapeText(shape)}`,
		);
}

/** How rows that differ in length are stored. */
const INSTEAD_OF_OBJECTS =
	': where rows differ in length, store the values of all rows in {split}_{modality}_values.npy and where each row begins in {split}_{modality}_offsets.npy; or rows filled up with zeros in {split}_{modality}.npy and their lengths in {split}_{modality}_length.npy';

/** Reads the header of the values of a modality in a split of `rows` rows, and how much of each row is there. */
export async function openModality({ values, presence }: ModalityFiles, rows: number, labels: string): Promise<ModalityArray> {
	const described = await readNpy(values, async ({ file, header }) => ({ file, header }), INSTEAD_OF_OBJECTS);
	if (presence?.by === 'offsets') {
		checkRagged(described, presence.member.name);
		const lengths = await lengthsByOffsets(presence.member, rows, described);
		return {
			...described,
			shape: [lengths.longest, ...described.header.shape.slice(1)],
			lengths,
			stepsOf: (row) => lengths.perRow[row] as number,
		};
	}
	const shape = instanceShape(described);
	sameRows(described.file, described.header.shape, rows, labels);
	const stepsOf = (): number => shape[0] as number;
	if (presence?.by !== 'length') return { ...described, shape, lengths: null, stepsOf };
	return { ...described, shape, lengths: await paddedLengths(presence.member, rows, shape[0] as number, described.file), stepsOf };
}

/** The shape that instances of these arrays, one per split, have when the shorter ones are filled up: that of the first array, with the most steps of all. */
export function filledUpShape(arrays: readonly [ModalityArray, ...ModalityArray[]]): number[] {
	const [{ file, shape }] = arrays;
	const steps = Math.max(...arrays.filter(({ lengths }, i) => i === 0 || lengths !== null).map((array) => array.shape[0] as number));
	if (steps === 0) throw refusal(file, 'at least one row that is not empty', 'none');
	return [steps, ...shape.slice(1)];
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

/** Refuses an array whose instances have another shape (with lengths: more steps or other features), or not one feature per named column. */
function checkForm({ file, shape: found, lengths }: ModalityArray, { shape, from, columns }: ModalityForm): void {
	if (lengths !== null && lengths.longest > (shape[0] as number))
		throw refusal(lengths.file, `at most ${shape[0]} steps, as ${from} has`, `${lengths.longest}`, {
			row: lengths.perRow.indexOf(lengths.longest),
		});
	const filledUp = lengths === null ? found : [Math.max(found[0] as number, shape[0] as number), ...found.slice(1)];
	if (filledUp.join() !== shape.join()) {
		const expected = `instances of shape ${shapeText(shape)}${lengths === null ? '' : ', or shorter ones'}, as ${from} has`;
		throw refusal(file, expected, shapeText(found));
	}
	if (columns !== undefined && columns.length !== shape.at(-1))
		throw refusal(file, `${columns.length} features, as manifest.json names columns`, `${shape.at(-1)}`);
}

/** Refuses what holds no ids of tokens: whole numbers, one for each token of a vector. */
function checkTokens({ file, header }: Described, { shape, tokens }: ModalityForm): void {
	if (tokens === null) return;
	if (header.element.kind !== 'integer')
		throw refusal(file, 'ids of tokens, of an integer type, as manifest.json says', header.element.name);
	if (shape.length !== 1) throw refusal(file, 'ids of tokens, of shape (rows, tokens)', `instances of shape ${shapeText(shape)}`);
}

/** Refuses a value that is no id of a token; `start` is the flat index of the first. */
function expectIds(file: string, values: CanonicalArray, start: number, form: ModalityForm): void {
	const { tokens } = form;
	if (tokens === null) return;
	const wrong = (values as ArrayLike<number | bigint> as readonly (number | bigint)[]).findIndex((id) => id < 0 || id >= tokens);
	if (wrong >= 0) throw refusal(file, `the id of a token, 0 to ${tokens - 1}`, String(values[wrong]), placeOf(start + wrong, form));
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

/** Refuses an array that does not fit the form, or is too large when each of its rows is filled up to the shape of the form. */
export function checkArray(array: ModalityArray, rows: number, form: ModalityForm, room: number): void {
	checkForm(array, form);
	checkTokens(array, form);
	const { lengths } = array;
	const { shape, dtype } = form;
	const bytes = rows * sizeOf(shape) * widthOf(dtype);
	if (lengths === null || bytes <= room) return;
	throw refusal(
		lengths.file,
		`at most ${room} bytes with every row filled up to ${shape[0]} steps`,
		`${bytes}: cut the longest rows, of which this file has one of ${lengths.longest} steps, or divide them`,
		{ row: lengths.perRow.indexOf(lengths.longest) },
	);
}

/**
 * Copies the array of a modality as `[rows, …shape]` in the type of the form, with zeros where rows are filled up and where the mask, which was written before under the
 * name `mask`, is 0. Also the values under the mask must be finite. What is written widens `range`.
 */
export async function copyModality(
	member: Member,
	opened: ModalityArray,
	name: string,
	mask: string | null,
	rows: number,
	form: ModalityForm,
	range: Range,
	target: CanonicalFolder,
): Promise<void> {
	const size = sizeOf(form.shape);
	const cellSize = size / (form.steps ?? 1);
	const perStep = sizeOf(form.shape.slice(1));
	await readNpy(member, async (array) => {
		const blocks = opened.lengths === null ? array.blocks() : paddedBlocks(array, rows, (row) => opened.stepsOf(row) * perStep, size);
		const present = mask === null ? null : await target.openMask(mask, maskShape(rows, form.steps));
		try {
			await target.writeArray(name, form.dtype, [rows, ...form.shape], async (append) => {
				for await (const { start, values } of blocks) {
					const first = Math.floor(start / cellSize);
					const cells = present === null ? null : new Uint8Array(Math.floor((start + values.length - 1) / cellSize) - first + 1);
					if (cells !== null) await present?.read(first, cells);
					const converted = convert(array.file, values, start, cells, cellSize, form);
					expectIds(array.file, converted, start, form);
					widen(range, converted);
					await append(converted);
				}
			});
		} finally {
			await present?.close();
		}
	});
}
