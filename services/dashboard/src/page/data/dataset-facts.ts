import type { DatasetResource } from '@steelyard/contracts';
import { count } from '../format.js';

type Task = DatasetResource['task'];

/** What a model of the dataset predicts, in words. */
export function taskWords({ type, outputs, positions }: Pick<Task, 'type' | 'outputs' | 'positions'>): string {
	const what = {
		binary: 'one of 2 classes',
		multiclass: `one of ${outputs.toLocaleString('en')} classes`,
		multilabel: `any of ${count(outputs, 'label')}`,
		regression: 'a number',
	}[type];
	return positions === undefined ? what : `${what} for each position`;
}

/** The shape of one instance: `57`, `8 × 3`. */
export const shapeWords = (shape: readonly number[]): string => shape.map((size) => size.toLocaleString('en')).join(' × ');
