import { ProblemError } from '@steelyard/contracts';
import { type StringTensor, sizeOf, type Tensor, tensor, type ValueInfo } from '@steelyard/runtime';

export type Row = Readonly<Record<string, unknown>>;
export type Feeds = Record<string, Tensor | StringTensor>;

const VALUES = 'x.';
const MASK = 'mask.';

/** An input that rows have a field for, with the mask that says what of it is there. */
type Field = { readonly name: string; readonly input: ValueInfo; readonly mask: ValueInfo | null };

/** The fields that rows have for a model: its modalities without the prefix of their inputs, or else its inputs. */
function fieldsOf(inputs: readonly ValueInfo[]): Field[] {
	const byName = new Map(inputs.map((input) => [input.name, input]));
	const modalityOf = (name: string, prefix: string): string | null => (name.startsWith(prefix) ? name.slice(prefix.length) : null);
	return inputs.flatMap((input) => {
		const masked = modalityOf(input.name, MASK);
		if (masked !== null && byName.has(VALUES + masked)) return [];
		const modality = modalityOf(input.name, VALUES);
		return [{ name: modality ?? input.name, input, mask: modality === null ? null : (byName.get(MASK + modality) ?? null) }];
	});
}

const refused = (path: string, expected: string, found: unknown): ProblemError => {
	const text = found === undefined ? 'nothing' : JSON.stringify(found);
	return new ProblemError('invalid_request', `${path}: expected ${expected}, found ${text.slice(0, 80)}`, path);
};

/** The sizes of the axes of a nested list, by its first elements. */
function axesOf(value: unknown): number[] {
	const axes: number[] = [];
	for (let inner = value; Array.isArray(inner); inner = inner[0]) axes.push(inner.length);
	return axes;
}

/** The shape of one row of an input. An axis of no fixed size is as long as in the first row that has the field. */
function rowShape({ input: { shape }, name }: Field, rows: readonly Row[]): number[] {
	const first = shape.some((axis, place) => place > 0 && typeof axis !== 'number')
		? rows.find((row) => Array.isArray(row[name]))
		: undefined;
	const axes = axesOf(first?.[name]);
	return shape.slice(1).map((axis, place) => (typeof axis === 'number' && axis >= 0 ? axis : (axes[place] ?? 1)));
}

const listOf = (size: number): string => `a list of ${size}`;

/** Reads one number or text of a row. Throws ProblemError. */
function scalarOf(value: unknown, { dtype }: ValueInfo, path: string): number | bigint | string {
	if (dtype === 'string') {
		if (typeof value === 'string') return value;
		throw refused(path, 'text', value);
	}
	if (dtype === 'bool' && typeof value === 'boolean') return value ? 1 : 0;
	if (typeof value === 'string' && /^-?\d{1,20}$/.test(value) && /^u?int64$/.test(dtype)) return BigInt(value);
	const isFloat = dtype.startsWith('float');
	if (typeof value !== 'number' || !(isFloat || Number.isSafeInteger(value)))
		throw refused(path, isFloat ? 'a number' : 'a whole number', value);
	if (dtype === 'float32' && !Number.isFinite(Math.fround(value))) throw refused(path, 'a number of float32', value);
	return value;
}

/** Numbers or texts of one input and what is there of them, for some rows. */
type Written = { readonly values: (number | bigint | string)[]; readonly mask: Float32Array };

/** Writes the values of a row from `at` on, in the order of its axes. Throws ProblemError where their shape is another. */
function write(value: unknown, shape: readonly number[], at: number, input: ValueInfo, path: string, { values }: Written): void {
	const [size, ...inner] = shape;
	if (size === undefined) {
		values[at] = scalarOf(value, input, path);
		return;
	}
	// A modality of one number may be that number.
	const list = size === 1 && !Array.isArray(value) ? [value] : value;
	if (!Array.isArray(list) || list.length !== size) throw refused(path, listOf(size), value);
	const width = sizeOf(inner);
	list.forEach((one, i) => write(one, inner, at + i * width, input, `${path}.${i}`, { values, mask: NO_MASK }));
}
const NO_MASK = new Float32Array();

/** Writes a row along the first axis of which a mask says what is there: its list may be shorter, and null stands for what is missing. */
function writeMasked(value: unknown, shape: readonly number[], row: number, input: ValueInfo, path: string, written: Written): void {
	const [steps = 1, ...inner] = shape;
	if (!Array.isArray(value) || value.length > steps) throw refused(path, `a list of at most ${steps}`, value);
	const width = sizeOf(inner);
	value.forEach((step, i) => {
		if (step === null) return;
		write(step, inner, (row * steps + i) * width, input, `${path}.${i}`, written);
		written.mask[row * steps + i] = 1;
	});
}

/** What a model takes of one field. `from` is the number of the first of these rows in the request. */
function feedOf(field: Field, rows: readonly Row[], shape: readonly number[], from: number): Feeds {
	const { name, input, mask } = field;
	const width = sizeOf(shape);
	const marksSteps = mask !== null && mask.shape.length > 1;
	const written: Written = {
		values: new Array<number | string>(rows.length * width).fill(input.dtype === 'string' ? '' : 0),
		mask: new Float32Array(rows.length * (marksSteps ? (shape[0] ?? 1) : 1)),
	};
	for (const [i, row] of rows.entries()) {
		const value = Object.hasOwn(row, name) ? row[name] : row[input.name];
		const path = `rows.${from + i}.${name}`;
		if (value === null || value === undefined) {
			if (mask === null) throw refused(path, 'a value, since the model knows no rows without it', value);
		} else if (marksSteps) writeMasked(value, shape, i, input, path, written);
		else {
			write(value, shape, i * width, input, path, written);
			written.mask[i] = 1;
		}
	}
	return {
		[input.name]: held(field, [rows.length, ...shape], written.values, from),
		...(mask === null ? {} : { [mask.name]: tensor('float32', marksSteps ? [rows.length, shape[0] ?? 1] : [rows.length], written.mask) }),
	};
}

/** The values as the input takes them. Throws ProblemError for a whole number that its type does not hold. */
function held({ input: { dtype }, name }: Field, shape: readonly number[], values: Written['values'], from: number): Tensor | StringTensor {
	if (dtype === 'string') return { dtype, shape, data: values as string[] };
	const made = tensor(dtype, shape, values as number[]);
	if (dtype.startsWith('float')) return made;
	const wrong = values.findIndex((value, i) => BigInt(made.data[i] as number | bigint) !== BigInt(value));
	if (wrong < 0) return made;
	const row = Math.floor(wrong / (sizeOf(shape) / (shape[0] as number)));
	throw refused(`rows.${from + row}.${name}`, `whole numbers of ${dtype}`, String(values[wrong]));
}

/** Gives the inputs of a run over `count` rows of a request from the row `from` on. Where a run takes more, `batch` of them, the last row stands for those that are not there. */
export type ArrayRows = (from: number, count: number, batch: number) => Feeds;

/**
 * Rows as a model takes them that takes arrays: for each modality, or input of a graph of the user's own, a nested list of the shape of one row. Where the model has a
 * mask, null stands for what is missing, and a sequence may be shorter than the model's. Throws ProblemError, as the function that it gives does, which names row, counted
 * from `first` on, field and place.
 */
export function arrayRows(inputs: readonly ValueInfo[], rows: readonly Row[], first: number): ArrayRows {
	const fields = fieldsOf(inputs);
	for (const { name, input } of fields)
		if (!rows.some((row) => Object.hasOwn(row, name) || Object.hasOwn(row, input.name)))
			throw refused(
				'rows',
				`a field ${JSON.stringify(name)}, which the model takes, with null where it is missing`,
				Object.keys(rows[0] ?? {}),
			);
	const shapes = fields.map((field) => rowShape(field, rows));
	return (from, count, batch) => {
		const some = rows.slice(from, from + count);
		const filled = [...some, ...new Array<Row>(batch - count).fill(some.at(-1) as Row)];
		return Object.assign({}, ...fields.map((field, f) => feedOf(field, filled, shapes[f] as number[], first + from))) as Feeds;
	};
}
