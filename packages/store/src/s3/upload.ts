import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ProblemError } from '@steelyard/contracts';
import { type Digest, digestOf } from '../digest.js';
import type { S3 } from './connection.js';

/** How many parts are under way at a time: with the one that is filled, what a stream takes of memory. */
const PARTS_AT_A_TIME = 3;
/** The most parts of an object, which S3 sets. */
const MOST_PARTS = 10_000;

/** Writes bytes that are all there, in one request, with their SHA-256 beside them. With `writer`, which tells this write from every other, only where the key is free. */
export async function putBytes({ client, sdk, at }: S3, key: string, body: Uint8Array, writer?: string): Promise<Digest> {
	const digest = digestOf(body);
	const Metadata = { sha256: digest.sha256, ...(writer === undefined ? {} : { writer }) };
	await client.send(new sdk.PutObjectCommand({ ...at(key), Body: body, Metadata, ...(writer === undefined ? {} : { IfNoneMatch: '*' }) }));
	return digest;
}

/**
 * Writes a stream. What fits in one part is one request, and keeps its SHA-256 with the object; a longer one is sent in parts, of which a few are in memory at a time, and nothing
 * of them stays where it fails.
 */
export async function putStream(s3: S3, key: string, source: Readable): Promise<Digest> {
	const { partBytes } = s3.options;
	const hash = createHash('sha256');
	let bytes = 0;
	const parts = source[Symbol.asyncIterator]();
	/** The next bytes of the source; null at its end. */
	async function next(): Promise<Buffer | null> {
		const { value, done } = (await parts.next()) as IteratorResult<Uint8Array | string>;
		if (done === true) return null;
		const chunk = Buffer.from(value as Uint8Array);
		hash.update(chunk);
		bytes += chunk.byteLength;
		if (bytes > partBytes * MOST_PARTS) throw new ProblemError('too_large', `${key} has more than ${partBytes * MOST_PARTS} bytes`);
		return chunk;
	}

	const head: Buffer[] = [];
	while (bytes <= partBytes) {
		const chunk = await next();
		if (chunk === null) return putBytes(s3, key, Buffer.concat(head));
		head.push(chunk);
	}
	async function* all(): AsyncGenerator<Buffer> {
		yield Buffer.concat(head.splice(0));
		for (let chunk = await next(); chunk !== null; chunk = await next()) yield chunk;
	}
	const { Upload } = await import('@aws-sdk/lib-storage');
	const body = Readable.from(all(), { objectMode: false });
	const upload = new Upload({ client: s3.client, params: { ...s3.at(key), Body: body }, partSize: partBytes, queueSize: PARTS_AT_A_TIME });
	try {
		await upload.done();
	} finally {
		body.destroy();
	}
	return { bytes, sha256: hash.digest('hex') };
}
