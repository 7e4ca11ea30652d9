import type * as Sdk from '@aws-sdk/client-s3';
import { InvalidKeyError, namesOf } from '../key.js';
import type { S3Address } from './address.js';

/** How a store on S3 is talked to. */
export type S3Options = {
	/** How often a request is made at most that may pass at another time; 5 unless given. */
	attempts?: number;
	/** Longest that a connection may take to be made, in milliseconds; 5 s unless given. */
	connectMs?: number;
	/** Longest that a connection may bring or take nothing while a request is under way, in milliseconds; a minute unless given. */
	idleMs?: number;
	/** The bytes of a part of a long upload, of which S3 wants 5 MiB at least and takes 10,000; 16 MiB unless given. A stream that is no longer is sent in one request. */
	partBytes?: number;
	/** How many keys one answer lists at most; as many as the server likes unless given. */
	pageKeys?: number | null;
};

/** An open connection to the bucket of an address. */
export type S3 = {
	address: S3Address;
	client: Sdk.S3Client;
	/** The library, which is loaded only where there is a store on S3. */
	sdk: typeof Sdk;
	options: Required<S3Options>;
	/** Where an object lies in its bucket. */
	at(key: string): { Bucket: string; Key: string };
};

/** The most bytes of a key in a bucket, which S3 sets. */
const LONGEST_KEY = 1024;
/** Downloads hold a connection each, for as long as their readers take. */
const CONNECTIONS = 256;

/** The beginning of the keys of a prefix in the bucket, of all for the empty one. Throws InvalidKeyError. */
export function beginningOf({ prefix: own }: S3Address, prefix: string): string {
	const names = [...(own === '' ? [] : [own]), ...(prefix === '' ? [] : namesOf(prefix))];
	return names.length === 0 ? '' : `${names.join('/')}/`;
}

/** Makes what talks to the bucket of an address. Nothing is sent. Credentials are those that the environment, the files of AWS or the machine have. */
export async function connectS3(address: S3Address, given: S3Options): Promise<S3> {
	const options = { attempts: 5, connectMs: 5000, idleMs: 60_000, partBytes: 16 * 1024 ** 2, pageKeys: null, ...given };
	// Versions of the library that are still to come need a newer Node; the one that is installed does not, and nobody who runs the service could act on its notice.
	process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
	const sdk = await import('@aws-sdk/client-s3');
	const { bucket: Bucket, endpoint, region, pathStyle } = address;
	const agent = { keepAlive: true, maxSockets: CONNECTIONS };
	const client = new sdk.S3Client({
		forcePathStyle: pathStyle,
		...(endpoint === null ? {} : { endpoint }),
		...(region === null ? {} : { region }),
		maxAttempts: options.attempts,
		requestHandler: { connectionTimeout: options.connectMs, socketTimeout: options.idleMs, httpAgent: agent, httpsAgent: agent },
		// What is downloaded is checked by `download`, also where it came in several answers.
		responseChecksumValidation: 'WHEN_REQUIRED',
	});
	return {
		address,
		client,
		sdk,
		options,
		at(key) {
			const Key = `${beginningOf(address, '')}${namesOf(key).join('/')}`;
			if (Buffer.byteLength(Key) > LONGEST_KEY) throw new InvalidKeyError(key, `with its prefix it has at most ${LONGEST_KEY} bytes`);
			return { Bucket, Key };
		},
	};
}
