import { interfaceOf } from '@steelyard/onnx';
import type { Job } from './job.js';

/** The modalities whose every number the graph of a job looks up in a table, such as ids of words; those of tokens, of built-in families. */
export function lookedUp({ spec: { model }, graphFile, modalities }: Pick<Job, 'spec' | 'graphFile' | 'modalities'>): ReadonlySet<string> {
	if (model.family !== 'custom') return new Set(modalities.flatMap(({ name, tokens }) => (tokens === undefined ? [] : [name])));
	if (graphFile === null) return new Set();
	const ids = interfaceOf(graphFile.model).inputs.flatMap(({ name, limit }) => (limit === undefined ? [] : [name]));
	return new Set(modalities.flatMap(({ name }) => (ids.includes(model.inputs[name] as string) ? [name] : [])));
}
