import { ProblemError } from '@steelyard/contracts';
import type { S3Address } from './address.js';

/** What the errors of the library have in common. */
type Failure = { name?: string; code?: string; message?: string; $metadata?: { httpStatusCode?: number }; Region?: string };

/** The HTTP status that a server answered with; null where an error is no answer. */
export const statusOf = (error: unknown): number | null => (error as Failure | null)?.$metadata?.httpStatusCode ?? null;
export const nameOf = (error: unknown): string => (error as Failure | null)?.name ?? '';

/** Errors of connections, by their codes in Node.js. */
const CONNECTION = new Set([
	...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'],
	...[
		'ERR_TLS_CERT_ALTNAME_INVALID',
		'DEPTH_ZERO_SELF_SIGNED_CERT',
		'SELF_SIGNED_CERT_IN_CHAIN',
		'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		'CERT_HAS_EXPIRED',
	],
	...['EPROTO', 'HPE_INVALID_CONSTANT'],
]);
const WRONG_CREDENTIALS = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'ExpiredToken', 'ExpiredTokenException']);
const WRONG_REGION = new Set(['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);
const WRONG_CLOCK = new Set(['RequestTimeTooSkewed', 'RequestExpired']);
const FULL = new Set([
	'QuotaExceeded',
	'XMinioStorageFull',
	'XMinioAdminBucketQuotaExceeded',
	'InsufficientStorage',
	'InsufficientCapacity',
]);

/** How messages name the bucket. */
export const bucketText = ({ bucket, endpoint }: S3Address): string => `the bucket ${bucket}${endpoint === null ? '' : ` at ${endpoint}`}`;

function wordsOf(error: Failure, address: S3Address): string | null {
	const { name = '', code = '', message = '' } = error;
	const status = statusOf(error);
	const bucket = bucketText(address);
	const detail = `${name || code}${message === '' || message === name ? '' : `: ${message}`}`;
	if (WRONG_CLOCK.has(name))
		return `The clock of this machine differs too much from that of ${bucket}, and requests are signed with the time: set the clock (${detail})`;
	if (WRONG_CREDENTIALS.has(name) || status === 401)
		return `The credentials are not valid for ${bucket}: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or at the profile that is used (${detail})`;
	if (name === 'CredentialsProviderError')
		return `There are no credentials for ${bucket}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of AWS (${detail})`;
	if (name === 'NoSuchBucket') return `There is no ${bucket.slice(4)}: make it, or name another one`;
	if (WRONG_REGION.has(name) || status === 301)
		return `${bucket} lies in another region${error.Region === undefined ? '' : ` (${error.Region})`}: name it as region=… (${detail})`;
	if (message === 'Region is missing') return `The region of ${bucket} is not known: name it as region=…, or set AWS_REGION`;
	if (status === 403)
		return `The credentials do not allow this in ${bucket}: they must allow to list, read, write and delete objects (${detail})`;
	if (status === 429 || status === 503) return `${bucket} asks to slow down, or is not available; try again later (${detail})`;
	if (name === 'TimeoutError' || code === 'ETIMEDOUT')
		return `${bucket} did not answer in time: look whether its endpoint is right and reachable (${detail})`;
	if (CONNECTION.has(code)) return `${bucket} cannot be reached: look whether its endpoint is right and reachable (${detail})`;
	return status === null ? null : `${bucket} answered with an error (${status} ${detail})`;
}

/**
 * The error of a store on S3 as the user reads it: a ProblemError, `insufficient_storage` where the bucket is full and else `unavailable`, whose message names the bucket and says
 * what to do. An error that is none of S3 stays as it is.
 */
export function failureOf(error: unknown, address: S3Address): unknown {
	if (typeof error !== 'object' || error === null || error instanceof ProblemError) return error;
	if (FULL.has(nameOf(error)) || statusOf(error) === 507)
		return new ProblemError('insufficient_storage', `No space is left in ${bucketText(address)} (${nameOf(error)})`);
	const words = wordsOf(error, address);
	if (words === null) return error;
	return new ProblemError('unavailable', words.charAt(0).toUpperCase() + words.slice(1));
}
