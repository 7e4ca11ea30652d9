import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ProblemError } from '@steelyard/contracts';
import type { Store, StoredEntry, StoredObject } from '../store.js';
import type { S3Address } from './address.js';
import { connectS3, type S3Options } from './connection.js';
import { download } from './download.js';
import { expectExclusiveWrites, putExclusively } from './exclusive.js';
import { bucketText, failureOf, nameOf, statusOf } from './failure.js';
import { pagesOf, withFolders } from './listing.js';
import { endAbandoned, unfinished } from './unfinished.js';
import { putBytes, putStream } from './upload.js';

/** The most keys that one request removes, and the most bytes that one copies, both of which S3 sets. */
const REMOVED_AT_A_TIME = 1000;
const LARGEST_COPY = 5 * 1024 ** 3;
/** The longest that a signed address can hold, in seconds, which S3 sets. */
const LONGEST_LEASE = 7 * 24 * 60 * 60;

/** A store on S3. `close` ends its connections. */
export type S3Store = Store & { close(): void };

/**
 * Opens a store on S3, which several processes may have open. Ends the uploads that killed processes have left for a day. Throws ProblemError where the bucket cannot be reached or used,
 * or where its server does not refuse the second of two exclusive writes.
 */
export async function openS3Store(address: S3Address, options: S3Options = {}): Promise<S3Store> {
	const s3 = await connectS3(address, options);
	const { client, sdk, at } = s3;

	/** Does something, and tells the errors of S3 as the user reads them. */
	const told = <T>(work: () => Promise<T>): Promise<T> =>
		work().catch((error: unknown) => {
			throw failureOf(error, address);
		});
	/** The answer to a question for an object; null where there is none. */
	const orNull = (error: unknown): null => {
		if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return null;
		throw error;
	};

	async function statOf(key: string): Promise<StoredObject | null> {
		const head = await client.send(new sdk.HeadObjectCommand(at(key))).catch(orNull);
		return head === null ? null : { bytes: head.ContentLength ?? 0, modified: head.LastModified ?? new Date(0) };
	}

	async function objectsBelow(prefix: string): Promise<StoredEntry[]> {
		const found: StoredEntry[] = [];
		for await (const { objects } of pagesOf(s3, prefix, true)) found.push(...objects);
		return found;
	}

	async function removeAll(keys: readonly string[]): Promise<void> {
		const Objects = keys.map((key) => ({ Key: at(key).Key }));
		const { Errors = [] } = await client.send(new sdk.DeleteObjectsCommand({ Bucket: address.bucket, Delete: { Objects, Quiet: true } }));
		const [first] = Errors;
		if (first !== undefined)
			throw new ProblemError(
				'unavailable',
				`${first.Key} could not be removed from ${bucketText(address)} (${first.Code}: ${first.Message})`,
			);
	}

	try {
		await told(async () => {
			await expectExclusiveWrites(s3);
			await endAbandoned(s3);
		});
	} catch (error) {
		client.destroy();
		throw error;
	}

	return {
		async put(key, content) {
			if (!(content instanceof Readable))
				return told(() => putBytes(s3, key, typeof content === 'string' ? Buffer.from(content) : content));
			let sourceError: Error | null = null;
			// Without a listener, a stream that breaks before it is read would end the process.
			content.on('error', (error) => {
				sourceError = error;
			});
			try {
				return await told(() => putStream(s3, key, content));
			} catch (error) {
				throw sourceError ?? error;
			} finally {
				content.destroy();
			}
		},
		putExclusive: (key, content) => told(() => putExclusively(s3, key, content)),
		get: (key) =>
			told(async () => {
				const stream = await download(s3, key);
				return stream === null ? null : buffer(stream);
			}),
		stat: (key) => told(() => statOf(key)),
		digest: (key) =>
			told(async () => {
				const stream = await download(s3, key);
				if (stream === null) return null;
				const hash = createHash('sha256');
				let bytes = 0;
				for await (const chunk of stream) {
					hash.update(chunk as Buffer);
					bytes += (chunk as Buffer).byteLength;
				}
				return { bytes, sha256: hash.digest('hex') };
			}),
		read: (key, range = {}) =>
			told(async () => {
				const stream = await download(s3, key, range);
				if (stream === null) throw new ProblemError('not_found', `There is no ${key}`);
				return stream;
			}),
		list: (prefix, { deep = true } = {}) =>
			told(async () => {
				const found: string[] = [];
				for await (const { objects, folders } of pagesOf(s3, prefix, deep)) found.push(...objects.map(({ key }) => key), ...folders);
				return found.sort();
			}),
		entries: (prefix) => told(async () => withFolders(prefix, await objectsBelow(prefix))),
		temporary: () => told(() => unfinished(s3)),
		move: (from, to) =>
			told(async () => {
				const [before, after] = [at(from), at(to)];
				const known = await statOf(from);
				if (known === null) return;
				if (known.bytes > LARGEST_COPY)
					throw new ProblemError('too_large', `${from} has ${known.bytes} bytes; on S3 at most ${LARGEST_COPY} can be moved`);
				const CopySource = [before.Bucket, ...before.Key.split('/')].map(encodeURIComponent).join('/');
				if ((await client.send(new sdk.CopyObjectCommand({ ...after, CopySource })).catch(orNull)) === null) return;
				await client.send(new sdk.DeleteObjectCommand(before));
			}),
		remove: (prefix) =>
			told(async () => {
				await client.send(new sdk.DeleteObjectCommand(at(prefix)));
				let waiting: string[] = [];
				for (const { key } of await objectsBelow(prefix)) {
					waiting.push(key);
					if (waiting.length < REMOVED_AT_A_TIME) continue;
					await removeAll(waiting);
					waiting = [];
				}
				if (waiting.length > 0) await removeAll(waiting);
			}),
		presign: (key, { seconds, filename }) =>
			told(async () => {
				if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_LEASE)
					throw new RangeError(`an address can be signed for 1 to ${LONGEST_LEASE} seconds, not ${seconds}`);
				const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
				const named = `attachment; filename*=UTF-8''${encodeURIComponent(filename).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`;
				const command = new sdk.GetObjectCommand({ ...at(key), ResponseContentDisposition: named });
				return getSignedUrl(client, command, { expiresIn: seconds });
			}),
		close: () => client.destroy(),
	};
}
