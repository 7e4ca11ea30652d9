import { Type } from 'typebox';

/** The schema of a string that is one of `values`. It is written as `enum`, which validators and generators of clients all understand. */
export const choice = <const T extends readonly string[]>(values: T, options: object = {}) =>
	Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });
