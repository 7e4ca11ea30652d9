/** Where the page is: the part of the address after `#`, such as `/jobs/job_…?tab=weights`. It can be shared, and works under any path that a proxy puts before it. */
export type Place = { readonly path: string; readonly query: URLSearchParams };

/** Reads the part of an address after `#`. */
export function placeIn(hash: string): Place {
	const text = hash.replace(/^#/, '') || '/';
	const mark = text.indexOf('?');
	const path = mark < 0 ? text : text.slice(0, mark);
	return { path: path === '' ? '/' : path, query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)) };
}

/** The address of a place within this page, for links. Fields without a value are left out. */
export function linkTo(path: string, query: Readonly<Record<string, string | readonly string[] | null | undefined>> = {}): string {
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(query))
		for (const one of typeof value === 'string' ? [value] : (value ?? [])) if (one !== '') search.append(name, one);
	return `#${path}${search.size > 0 ? `?${search}` : ''}`;
}

/**
 * The parameters of a path that fits a pattern such as `/jobs/:id`; null where it does not fit.
 */
export function match(pattern: string, path: string): Record<string, string> | null {
	const wanted = pattern.split('/');
	const found = path.split('/');
	if (wanted.length !== found.length) return null;
	const params: Record<string, string> = {};
	for (const [i, part] of wanted.entries()) {
		const text = found[i] as string;
		if (!part.startsWith(':')) {
			if (part !== text) return null;
		} else if (text === '') return null;
		else
			try {
				params[part.slice(1)] = decodeURIComponent(text);
			} catch {
				return null;
			}
	}
	return params;
}
