import type { SweepResource } from '@steelyard/contracts';
import { having, type Json, type JsonObject, own } from '../new-job/json.js';

/** An object with a field that a path leads to, whatever stood there before. */
function withField(object: Json | undefined, [name = '', ...deeper]: readonly string[], value: Json): JsonObject {
	const before = typeof object === 'object' && object !== null && !Array.isArray(object) ? (object as JsonObject) : {};
	return having(before, name, deeper.length === 0 ? value : withField(own(before, name), deeper, value));
}

/**
 * The job of a sweep with the values of an assignment, as one posts it: what trains the best trial by itself, with all of its epochs. Shorter paths are set first, so
 * that `weighting` does not undo `weighting.preset`.
 */
export function specWith({ job }: SweepResource['spec'], assignment: Readonly<Record<string, unknown>>): JsonObject {
	const paths = Object.entries(assignment).map(([path, value]) => ({ path: path.split('.'), value: value as Json }));
	return paths
		.toSorted((a, b) => a.path.length - b.path.length)
		.reduce<JsonObject>((spec, { path, value }) => withField(spec, path, value), job as unknown as JsonObject);
}
