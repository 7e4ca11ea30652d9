import { computed, type ReadonlySignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { place } from '../router.js';

/**
 * What a page reads of the query of its own address. The address changes before another page is shown: what was read then stays as it was, so that nothing is
 * fetched for a page that is left.
 */
export function useOwnQuery<T>(path: string, read: (query: URLSearchParams) => T): ReadonlySignal<T> {
	return useMemo(() => {
		let last: { value: T } | null = null;
		return computed(() => {
			const { path: at, query } = place.value;
			if (last === null || at === path) last = { value: read(query) };
			return last.value;
		});
	}, [path]);
}
