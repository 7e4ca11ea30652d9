/** Names of modalities, splits and files: what can stand in a file name and in a graph's value name. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_-]{0,62}$';

/** The keywords of the schema of a name; the description says in a message what was expected. */
export type NameRule = { readonly pattern: string; readonly description: string };

/** A name of a modality, a split or a file. */
export const NAME: NameRule = { pattern: NAME_PATTERN, description: 'a letter and at most 62 more letters, digits, _ and -' };

/** What a class is called: any text of one line but the name under which JavaScript keeps the prototype of an object. */
export const CLASS_NAME: NameRule = {
	pattern: '^(?!__proto__$)[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ud800-\\udfff]{1,200}$',
	description: '1 to 200 characters of one line, and not __proto__',
};

/** What a user calls a job, a dataset or a model. It stands in tables of terminals, so that it is one line. Half a pair of surrogates does no harm there, and a pattern that forbids it is one that few other languages can read. */
export const RESOURCE_NAME: NameRule = {
	pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]{1,200}$',
	description: '1 to 200 characters of one line',
};

/** What a project is called: it stands in keys of Redis and in logs. */
export const PROJECT_NAME: NameRule = {
	pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
	description: 'a lower-case letter or digit and at most 62 more of these and -',
};

/** What a list of jobs can be sorted by: its age, or a metric by the name of a split, a point and that of the metric. */
export const SORTED_BY: NameRule = {
	pattern: '^(created|[A-Za-z][A-Za-z0-9_-]{0,62}\\.[^\\u0000-\\u001f]{1,200})$',
	description: 'created, or a metric with its split, such as validation.accuracy',
};

/** What was expected where a text is no name; null for other patterns. */
export const expectedOf = (pattern: string | undefined): string | null =>
	[NAME, CLASS_NAME, RESOURCE_NAME, PROJECT_NAME, SORTED_BY].find((rule) => rule.pattern === pattern)?.description ?? null;

/** The most modalities of a dataset and of a job. */
export const MOST_MODALITIES = 4096;
