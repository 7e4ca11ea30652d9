import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '@steelyard/contracts';
import { type Digest, digestOf } from '../digest.js';
import { beginningOf, type S3 } from './connection.js';
import { bucketText, statusOf } from './failure.js';
import { putBytes } from './upload.js';

/** Longest wait, in milliseconds, before a write is tried again that met another one. */
const LONGEST_PAUSE = 100;

/** Who wrote the object behind a key exclusively. */
async function writerOf({ client, sdk, at }: S3, key: string): Promise<string | null> {
	const head = await client.send(new sdk.HeadObjectCommand(at(key))).catch((error: unknown) => {
		if (statusOf(error) === 404) return null;
		throw error;
	});
	return head?.Metadata?.['writer'] ?? null;
}

/**
 * Writes where the key is free, by `If-None-Match: *`; null where it is taken. A write whose answer was lost on its way is made again by the library, and then finds the key taken by
 * itself: every write has a name of its own, by which it knows its object again.
 */
export async function putExclusively(s3: S3, key: string, content: Uint8Array | string): Promise<Digest | null> {
	const writer = randomUUID();
	const body = typeof content === 'string' ? Buffer.from(content) : content;
	for (let tries = 1; ; tries++) {
		try {
			return await putBytes(s3, key, body, writer);
		} catch (error) {
			const status = statusOf(error);
			// Another write of the key is under way, and nobody knows yet whether it will be whole.
			const isUndecided = status === 409 && tries < s3.options.attempts;
			if (!isUndecided && status !== 412) throw error;
			if (!isUndecided) return (await writerOf(s3, key)) === writer ? digestOf(body) : null;
			await delay(Math.random() * LONGEST_PAUSE);
		}
	}
}

/**
 * Finds out whether the server keeps the promise of exclusive writes, on which it rests that a job ends once: the second of two to one key must be refused. Throws ProblemError for a
 * server that does not.
 */
export async function expectExclusiveWrites(s3: S3): Promise<void> {
	const { address, client, sdk } = s3;
	const Key = `${beginningOf(address, '')}.probe-${randomUUID()}`;
	const probe = { Bucket: address.bucket, Key };
	const write = () => client.send(new sdk.PutObjectCommand({ ...probe, Body: 'probe', IfNoneMatch: '*' }));
	const refuse = (what: string) =>
		new ProblemError(
			'unavailable',
			`${bucketText(address)} ${what}: no store can be kept there. AWS, MinIO, SeaweedFS, Ceph and Cloudflare R2 do in their newer versions`,
		);
	try {
		await write().catch((error: unknown) => {
			throw statusOf(error) === 501 ? refuse('knows no conditional writes ("If-None-Match: *")') : error;
		});
		const isRefused = await write().then(
			() => false,
			(error: unknown) => {
				if (statusOf(error) === 412) return true;
				throw error;
			},
		);
		if (!isRefused) throw refuse('ignores conditional writes ("If-None-Match: *"), so that two workers could end one job');
	} catch (error) {
		// What went wrong first is what is told; the probe is empty of meaning.
		await client.send(new sdk.DeleteObjectCommand(probe)).catch(() => {});
		throw error;
	}
	await client.send(new sdk.DeleteObjectCommand(probe));
}
