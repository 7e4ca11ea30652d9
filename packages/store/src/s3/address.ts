import { namesOf } from '../key.js';

/** Where a store lies on S3. */
export type S3Address = {
	bucket: string;
	/** The names that every key of the store lies below, joined by `/`; empty for the whole bucket. */
	prefix: string;
	/** The server that speaks S3, such as `http://127.0.0.1:9000`; null for that of AWS. */
	endpoint: string | null;
	/** null takes it from the usual settings of AWS, such as `AWS_REGION`. */
	region: string | null;
	/** Whether the bucket is named in the path, and not as a part of the host. */
	pathStyle: boolean;
};

/** A text that is no address of a store on S3. The message says what was expected, and shows no secret. */
export class S3AddressError extends Error {
	override readonly name = 'S3AddressError';
	readonly code = 'invalid_store_address';
}

const EXPECTED = 's3://bucket/prefix?endpoint=https://…&region=…&path-style=true';
const PARAMETERS = ['endpoint', 'region', 'path-style'];
/** The region that servers other than AWS go by unless they are told another. */
const ELSEWHERE = 'us-east-1';

const refused = (what: string): S3AddressError => new S3AddressError(`${what}; expected ${EXPECTED}`);

/** Whether a text means a store on S3, and not a folder. */
export const isS3Address = (text: string): boolean => /^s3:/i.test(text);

function endpointOf(text: string): string {
	const url = URL.canParse(text) ? new URL(text) : null;
	if (url === null || !/^https?:$/.test(url.protocol)) throw refused('the endpoint must be a URL of http or https');
	if (url.username !== '' || url.password !== '') throw refused('the endpoint may not hold credentials');
	if (url.search !== '' || url.hash !== '') throw refused('the endpoint may have no "?" and no "#"');
	return url.href.replace(/\/+$/, '');
}

function pathStyleOf(text: string | null, endpoint: string | null): boolean {
	// A server of one's own seldom has a host name for each bucket.
	if (text === null) return endpoint !== null;
	if (text !== 'true' && text !== 'false') throw refused(`path-style must be true or false, not ${JSON.stringify(text)}`);
	return text === 'true';
}

function prefixOf(path: string): string {
	const prefix = path.replace(/^\/|\/$/g, '');
	if (prefix === '') return '';
	try {
		return namesOf(decodeURIComponent(prefix)).join('/');
	} catch (error) {
		throw refused(`the prefix cannot be used: ${(error as Error).message}`);
	}
}

/**
 * Reads the address of a store on S3: `s3://bucket/prefix`, with `endpoint`, `region` and `path-style` behind a `?` where the server is not that of AWS. With an endpoint the
 * region is `us-east-1` and the path style holds unless they are given. Throws S3AddressError.
 */
export function s3AddressOf(text: string): S3Address {
	if (!URL.canParse(text)) throw refused('the address of the store is no URL');
	const url = new URL(text);
	if (url.protocol !== 's3:') throw refused(`the address of the store begins with ${JSON.stringify(url.protocol)}`);
	if (url.username !== '' || url.password !== '')
		throw refused(
			'the address of the store may not hold credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of AWS',
		);
	const bucket = url.hostname;
	if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || url.port !== '')
		throw refused(`${JSON.stringify(url.host)} is no name of a bucket, which has 3 to 63 of a to z, 0 to 9, "-" and "."`);
	for (const name of new Set(url.searchParams.keys())) {
		if (!PARAMETERS.includes(name)) throw refused(`the address of the store has the unknown parameter ${JSON.stringify(name)}`);
		if (url.searchParams.getAll(name).length > 1) throw refused(`the address of the store names ${name} more than once`);
	}
	const named = url.searchParams.get('endpoint');
	const endpoint = named === null ? null : endpointOf(named);
	const region = url.searchParams.get('region') ?? (endpoint === null ? null : ELSEWHERE);
	if (region !== null && !/^[a-z0-9-]{1,64}$/.test(region)) throw refused(`${JSON.stringify(region)} is no name of a region`);
	return { bucket, prefix: prefixOf(url.pathname), endpoint, region, pathStyle: pathStyleOf(url.searchParams.get('path-style'), endpoint) };
}
