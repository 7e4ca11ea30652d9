import type { ModelReport } from '../../model.js';

/** An input or output of a graph, as its report describes it. */
export type GraphValue = ModelReport['inputs'][number];

/** A shape in which a string is a dimension of any size. */
export type Dims = GraphValue['shape'];

export const shown = (dims: readonly Dims[number][]): string => `[${dims.join(', ')}]`;

/** Whether every size is known. */
export const isStatic = (dims: readonly Dims[number][]): dims is number[] => dims.every((dim) => typeof dim === 'number');

/** Whether a shape can be `wanted`: a free dimension of either can be any size of the other. */
export const fits = (shape: readonly Dims[number][], wanted: readonly Dims[number][]): boolean =>
	shape.length === wanted.length && shape.every((dim, i) => typeof dim === 'string' || typeof wanted[i] === 'string' || dim === wanted[i]);
