import { expect } from 'vitest';
import { type Document, operationsOf } from './document.js';

/** The kinds of ids by the part of a path that is before one. */
const KINDS: Readonly<Record<string, string>> = { datasets: 'ds', models: 'mdl', jobs: 'job', keys: 'key', sweeps: 'swp' };

/** The kind of the resource that a path is about; null where it names none. */
export function kindOf(path: string): string | null {
	const [, , plural = '', parameter] = path.split('/');
	if (parameter === undefined) return null;
	expect(parameter, `the tests do not know what ${path} is about`).toBe('{id}');
	return KINDS[plural] ?? expect.unreachable(`the tests know no ids of ${plural}`);
}

/** A request for each operation of a document, and one by HEAD for each that is a GET. `url` puts an id and, where there is one, a name into the path. */
export const requestsOf = (document: Document) =>
	operationsOf(document).flatMap(({ path, method, operation }) => {
		const url = (id: string, name = 'metrics.json') => path.replace('{id}', id).replace('{name}', name);
		const methods = method === 'get' ? (['GET', 'HEAD'] as const) : [method.toUpperCase() as 'POST' | 'PATCH' | 'PUT' | 'DELETE'];
		return methods.map((one) => ({ name: `${one} ${path}`, method: one, path, operation, kind: kindOf(path), url }));
	});
