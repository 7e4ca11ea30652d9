import { type Static, Type } from 'typebox';
import { type NameRule, RESOURCE_NAME } from './name-pattern.js';
import { ProblemError } from './problems.js';
import { recordOf } from './record.js';

const closed = { additionalProperties: false } as const;

/** The most entries that the metadata of one resource may have. */
export const MOST_METADATA = 16;

const METADATA_NAME: NameRule = { pattern: '^(?!__proto__$)[\\s\\S]{0,64}$', description: 'at most 64 characters' };
const METADATA_VALUE = { maxLength: 512 } as const;

/** What a resource is called by whoever made it. */
export const resourceName = (description: string) =>
	Type.String({ pattern: RESOURCE_NAME.pattern, minLength: 1, maxLength: 200, description });

/** Texts of a user's own by name, which the service keeps and does not read. */
export const metadata = (options: { default?: object; description: string }) =>
	recordOf(METADATA_NAME, Type.String(METADATA_VALUE), { maxProperties: MOST_METADATA, ...options });
export type Metadata = Record<string, string>;

/** Entries of metadata that are set, and with null those that are removed. All may be replaced at once, hence twice as many. */
const metadataChange = recordOf(METADATA_NAME, Type.Unsafe<string | null>({ type: ['string', 'null'], ...METADATA_VALUE }), {
	maxProperties: 2 * MOST_METADATA,
	description: 'entries to set, and with null entries to remove; all others stay',
});

/** How a job is renamed and its metadata are changed. */
export const JobChange = Type.Object(
	{
		name: Type.Optional(
			Type.Unsafe<string | null>({
				type: ['string', 'null'],
				pattern: RESOURCE_NAME.pattern,
				minLength: 1,
				maxLength: 200,
				description: 'what the job is called from now on; null takes its name away',
			}),
		),
		metadata: Type.Optional(metadataChange),
	},
	closed,
);
export type JobChange = Static<typeof JobChange>;

/** How a dataset or an uploaded model is renamed and its metadata are changed. */
export const UploadChange = Type.Object(
	{ name: Type.Optional(resourceName('what it is called from now on')), metadata: Type.Optional(metadataChange) },
	closed,
);
export type UploadChange = Static<typeof UploadChange>;

/** What may be said of a file as it is uploaded. */
export const UploadNaming = Type.Object(
	{
		name: Type.Optional(resourceName('what it is called, whatever its file is called')),
		metadata: Type.Optional(metadata({ description: 'texts of your own by name, as metadata[name]=text' })),
	},
	closed,
);
export type UploadNaming = Static<typeof UploadNaming>;

/** What may be said of a dataset as it is uploaded. */
export const DatasetUpload = Type.Object(
	{
		...UploadNaming.properties,
		label: Type.Optional(
			Type.String({
				minLength: 1,
				maxLength: 200,
				description: 'of a table: the column to predict, as in its manifest, or a pattern that several fit, such as finding_*',
			}),
		),
		manifest: Type.Optional(
			Type.String({
				minLength: 2,
				maxLength: 262_144,
				description: 'of a table: its manifest as JSON, where no manifest.json is in the archive',
			}),
		),
	},
	closed,
);
export type DatasetUpload = Static<typeof DatasetUpload>;

/** Metadata with some entries set or, by null, removed. Throws ProblemError `invalid_request` where they would be too many. */
export function changedMetadata(before: Metadata, change: Readonly<Record<string, string | null>> = {}): Metadata {
	const entries = Object.entries({ ...before, ...change }).filter((entry): entry is [string, string] => entry[1] !== null);
	if (entries.length > MOST_METADATA)
		throw new ProblemError('invalid_request', `metadata would have ${entries.length} entries, ${MOST_METADATA} at most`, 'metadata');
	return Object.fromEntries(entries);
}
