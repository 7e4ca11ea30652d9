import type { CanonicalArray } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { arrayTypeOf, sizeOf } from '@steelyard/runtime';
import { EVALUATION_BATCH, type Examples } from '../model/examples.js';
import type { UnseenValues } from '../report/warnings.js';
import type { Job } from './job.js';
import { lookedUp } from './looked-up.js';

/** A modality of more values than this is not one of categories. */
const MOST_VALUES = 10_000;
/** Values that a warning shows. */
const SHOWN = 10;

/** The values of a modality in each of the examples, without what is missing. */
function* rowValues({ split, rows }: Examples, { name, shape, dtype = 'float32' }: ModalityShape): Iterable<number[]> {
	const size = sizeOf(shape);
	const mask = split.mask(name);
	const width = mask === null ? 1 : mask.length / split.rows;
	for (let start = 0; start < rows.length; start += EVALUATION_BATCH) {
		const wanted = rows.subarray(start, start + EVALUATION_BATCH);
		const values = new (arrayTypeOf(dtype))(wanted.length * size);
		split.gather(name, wanted, values as CanonicalArray);
		for (const [i, row] of wanted.entries()) {
			const own = Array.from(values.subarray(i * size, (i + 1) * size), Number);
			yield mask === null ? own : own.filter((_, at) => mask[row * width + Math.floor((at * width) / size)] === 1);
		}
	}
}

/** The values that a modality has in the examples; null where there are too many. */
function valuesOf(examples: Examples, modality: ModalityShape): Set<number> | null {
	const found = new Set<number>();
	for (const values of rowValues(examples, modality)) {
		for (const value of values) found.add(value);
		if (found.size > MOST_VALUES) return null;
	}
	return found;
}

/** The values of a modality in the examples that are not among those seen; null where there are none. */
function unseenIn(examples: Examples, modality: ModalityShape, seen: ReadonlySet<number>): UnseenValues | null {
	const unseen = new Set<number>();
	let rows = 0;
	for (const values of rowValues(examples, modality)) {
		const fresh = values.filter((value) => !seen.has(value));
		if (fresh.length > 0) rows += 1;
		for (const value of fresh) unseen.add(value);
	}
	if (unseen.size === 0) return null;
	const values = [...unseen].toSorted((a, b) => a - b).slice(0, SHOWN);
	return { modality: modality.name, split: examples.name, count: unseen.size, values, rows };
}

/** What training never saw, in the splits beside training and validation, of the modalities whose every number the graph of a job looks up in a table. */
export function unseenValues(job: Pick<Job, 'spec' | 'graphFile' | 'modalities' | 'train' | 'others'>): UnseenValues[] {
	const { modalities, train, others } = job;
	const ids = lookedUp(job);
	return modalities
		.filter(({ name }) => ids.has(name))
		.flatMap((modality) => {
			const seen = valuesOf(train, modality);
			return seen === null ? [] : others.map((examples) => unseenIn(examples, modality, seen));
		})
		.filter((found) => found !== null);
}
