import { computed, signal } from '@preact/signals';
import { linkTo, placeIn } from './address.js';

export { linkTo } from './address.js';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
	hash.value = location.hash;
});

/** The place that the address bar names. */
export const place = computed(() => placeIn(hash.value));

/** Goes to a place. With `replace` the back button skips the one before. */
export function go(link: string, { replace = false } = {}): void {
	if (link === location.hash) return;
	if (replace) {
		history.replaceState(null, '', link);
		hash.value = link;
	} else location.hash = link;
}

/** Changes fields of the query of the present place; null takes one away. */
export function setQuery(fields: Readonly<Record<string, string | readonly string[] | null>>): void {
	const { path, query } = place.peek();
	const before = Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));
	go(linkTo(path, { ...before, ...fields }), { replace: true });
}
