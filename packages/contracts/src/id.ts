/** The kinds of things that have ids, by the beginning of those ids: datasets, jobs, API keys, uploaded models and sweeps. */
export type IdKind = 'ds' | 'job' | 'key' | 'mdl' | 'swp';

/** What every id of a kind looks like, as a JSON Schema pattern: the kind, `_`, and 1 to 40 lower-case letters and digits. */
export const idPattern = (kind: IdKind): string => `^${kind}_[a-z0-9]{1,40}$`;

const PATTERNS: Readonly<Record<IdKind, RegExp>> = {
	ds: new RegExp(idPattern('ds')),
	job: new RegExp(idPattern('job')),
	key: new RegExp(idPattern('key')),
	mdl: new RegExp(idPattern('mdl')),
	swp: new RegExp(idPattern('swp')),
};

/** Whether a text looks like an id of a kind. It is then safe as the name of a folder; whether there is such a thing is another question. */
export const isId = (kind: IdKind, text: string): boolean => PATTERNS[kind].test(text);
