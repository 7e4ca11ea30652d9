import type { CanonicalFolder } from './canonical-folder.js';
import type { Numbers } from './element-type.js';
import { maskShape } from './mask.js';
import type { Member } from './member.js';
import { shapeText } from './npy-header.js';
import { type NpyArray, readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';
import { sameRows, someRows } from './row-count.js';

const READABLE = ['float16', 'float32', 'float64', 'int8', 'uint8', 'int16', 'int32'];

/** The form that the arrays of a modality must have in every split. */
export type ModalityForm = {
	/** The shape of one instance. */
	readonly shape: readonly number[];
	/** The file from which the shape is. */
	readonly from: string;
	readonly columns: readonly string[] | undefined;
};

/** The shape of one instance, `[features]` or `[steps, features]`, of an array of numbers that can be read. */
export function instanceShape({ file, header: { element, shape } }: NpyArray): number[] {
	if (!READABLE.includes(element.name)) throw refusal(file, `elements of type ${READABLE.join(', ')}`, element.name);
	if (shape.length !== 2 && shape.length !== 3) throw refusal(file, 'shape (rows, features) or (rows, steps, features)', shapeText(shape));
	someRows(file, shape);
	if (shape.includes(0)) throw refusal(file, 'axes that are not empty', `shape ${shapeText(shape)}`);
	return shape.slice(1);
}

/** Refuses an array whose instances have another shape, or not one feature per named column. */
function checkForm(file: string, found: readonly number[], { shape, from, columns }: ModalityForm): void {
	if (found.join() !== shape.join()) throw refusal(file, `instances of shape ${shapeText(shape)}, as ${from} has`, shapeText(found));
	if (columns !== undefined && columns.length !== found.at(-1))
		throw refusal(file, `${columns.length} features, as manifest.json names columns`, `${found.at(-1)}`);
}

/** The values as float32, with 0 where `present` is 0; all must be finite in float32. `present[0]` is the cell `cell0` of the mask. */
function convert(
	file: string,
	values: Numbers,
	start: number,
	present: Uint8Array | null,
	cell0: number,
	form: ModalityForm,
): Float32Array {
	const [steps, features] = form.shape.length === 2 ? (form.shape as [number, number]) : [1, form.shape[0] as number];
	const out = new Float32Array(values.length);
	let cell = Math.floor(start / features) - cell0;
	let column = start % features;
	for (let i = 0; i < values.length; i++) {
		const value = Math.fround(values[i] as number);
		if (!Number.isFinite(value)) {
			const row = Math.floor((cell + cell0) / steps);
			const step = form.shape.length === 2 ? { step: (cell + cell0) % steps } : {};
			const expected = Number.isFinite(values[i]) ? 'a number in the range of float32' : 'a finite number';
			throw refusal(file, expected, String(values[i]), { row, ...step, column, columnName: form.columns?.[column] });
		}
		out[i] = present === null || present[cell] === 1 ? value : 0;
		if (++column === features) {
			column = 0;
			cell++;
		}
	}
	return out;
}

/**
 * Copies `[rows, …shape]` as float32, with zeros where the mask, which was written before under the name `mask`, is 0. Also the values under the mask must be finite.
 */
export async function copyModality(
	member: Member,
	name: string,
	mask: string | null,
	rows: number,
	labels: string,
	form: ModalityForm,
	target: CanonicalFolder,
): Promise<void> {
	const features = form.shape.at(-1) as number;
	await readNpy(member, async (array) => {
		checkForm(array.file, instanceShape(array), form);
		sameRows(array.file, array.header.shape, rows, labels);
		const present = mask === null ? null : await target.openMask(mask, maskShape(rows, form.shape));
		try {
			await target.writeArray(name, 'float32', array.header.shape, async (append) => {
				for await (const { start, values } of array.blocks()) {
					const first = Math.floor(start / features);
					const cells = present === null ? null : new Uint8Array(Math.floor((start + values.length - 1) / features) - first + 1);
					if (cells !== null) await present?.read(first, cells);
					await append(convert(array.file, values, start, cells, first, form));
				}
			});
		} finally {
			await present?.close();
		}
	});
}
