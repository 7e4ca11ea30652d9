import type { CanonicalArray, FeatureMoments } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { counterRandom } from '@steelyard/random';
import { arrayTypeOf, sizeOf } from '@steelyard/runtime';
import { numberWriter, valueIsThere, withChanged } from './changed.js';
import type { Examples } from './examples.js';

/** What noise is drawn by: that of a row is a function of the seed, the purpose and the row alone. */
export type NoiseDraws = { readonly seed: number; readonly purpose: string };

const drawsOf = ({ seed, purpose }: NoiseDraws, { split }: Examples, row: number) => counterRandom(seed, `${purpose}/${split.name}/${row}`);

/**
 * The same examples with normal noise in one modality, once for each of `levels`: its deviation is that of the feature times the level. Rounded, and kept in the range of its
 * type, where values are whole numbers. What is missing stays so. Every level adds a multiple of the same numbers, which are held for all rows of the split.
 */
export function withNoise(
	examples: Examples,
	modality: ModalityShape,
	levels: readonly number[],
	draws: NoiseDraws,
	{ deviation }: FeatureMoments,
): Examples[] {
	const { split, rows } = examples;
	const size = sizeOf(modality.shape);
	const isThere = valueIsThere(examples, modality);
	const noise = new Float32Array(split.rows * size);
	for (const row of rows) {
		const random = drawsOf(draws, examples, row);
		for (let at = 0; at < size; at++) {
			const drawn = random.normal();
			if (isThere(row, at)) noise[row * size + at] = (deviation[at % deviation.length] as number) * drawn;
		}
	}
	return levels.map((level) =>
		withChanged(examples, modality, {
			values(row, own) {
				if (own instanceof Float32Array) {
					for (let at = 0; at < size; at++) own[at] = (own[at] as number) + level * (noise[row * size + at] as number);
					return;
				}
				const write = numberWriter(own);
				for (let at = 0; at < size; at++) write(at, Number(own[at]) + level * (noise[row * size + at] as number));
			},
		}),
	);
}

/**
 * The same examples in which a share `level` of the numbers of one modality is replaced, each by that of another of the examples at the same position. What is missing
 * stays so, and is put in the place of nothing. What a lower level replaces a higher one replaces by the same.
 */
export function withReplaced(examples: Examples, modality: ModalityShape, level: number, draws: NoiseDraws): Examples {
	const { split, rows } = examples;
	const { dtype = 'float32', name, shape } = modality;
	const size = sizeOf(shape);
	const isThere = valueIsThere(examples, modality);
	const all = new (arrayTypeOf(dtype))(rows.length * size) as CanonicalArray;
	split.gather(name, rows, all);
	/** By position, the places of the examples that have a value there. */
	const donors = Array.from({ length: size }, (_, at) => Uint32Array.from(rows.keys()).filter((i) => isThere(rows[i] as number, at)));
	return withChanged(examples, modality, {
		values(row, own) {
			const random = drawsOf(draws, examples, row);
			for (let at = 0; at < own.length; at++) {
				const [chance, drawn] = [random.uniform(), random.uniform()];
				const having = donors[at] as Uint32Array;
				if (chance >= level || !isThere(row, at)) continue;
				const donor = having[Math.floor(drawn * having.length)] as number;
				own[at] = all[donor * size + at] as never;
			}
		},
	});
}
