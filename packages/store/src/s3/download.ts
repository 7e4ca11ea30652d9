import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { ProblemError } from '@steelyard/contracts';
import type { S3 } from './connection.js';
import { bucketText, failureOf, statusOf } from './failure.js';

/** Milliseconds before a download that broke off goes on; each further wait is twice as long. */
const FIRST_PAUSE = 50;

type Range = { start?: number; end?: number };

/** Asks for an object. null where there is none, and 'nothing' where the range begins behind its end. */
async function ask({ client, sdk, at }: S3, key: string, range: Range, tag?: string): Promise<GetObjectCommandOutput | 'nothing' | null> {
	const { start, end } = range;
	const isPart = start !== undefined || end !== undefined;
	const command = new sdk.GetObjectCommand({
		...at(key),
		...(isPart ? { Range: `bytes=${start ?? 0}-${end ?? ''}` } : {}),
		...(tag === undefined ? {} : { IfMatch: tag }),
	});
	return client.send(command).catch((error: unknown) => {
		if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return null;
		if (statusOf(error) === 416) return 'nothing';
		throw error;
	});
}

/**
 * The bytes of an object, or of a part of it; null where there is none. Where the connection breaks, the download goes on behind what has come, as often as `attempts` says without
 * a byte more. The stream fails where the object was replaced meanwhile, where bytes are missing, and where a whole object has not the SHA-256 that was kept with it.
 */
export async function download(s3: S3, key: string, range: Range = {}): Promise<Readable | null> {
	const { address, options } = s3;
	const answer = await ask(s3, key, range);
	if (answer === null) return null;
	if (answer === 'nothing') return Readable.from([]);
	const { ContentLength: expected, ETag: tag, Metadata } = answer;
	if (expected === undefined) throw new ProblemError('unavailable', `${bucketText(address)} does not say how long ${key} is`);
	const kept = range.start === undefined && range.end === undefined ? Metadata?.['sha256'] : undefined;
	let body = answer.Body as Readable;

	/** Asks for what has not come yet. */
	async function goOn(got: number, reason: unknown): Promise<void> {
		const start = (range.start ?? 0) + got;
		const next = await ask(s3, key, { start, end: start + (expected as number) - got - 1 }, tag).catch((error: unknown) => {
			if (statusOf(error) === 412) return null;
			throw error;
		});
		if (next === null || next === 'nothing')
			throw new ProblemError(
				'unavailable',
				`${key} was replaced or removed while it was read, after its download broke off (${String(reason)})`,
			);
		body = next.Body as Readable;
	}

	async function* bytes(): AsyncGenerator<Buffer> {
		const hash = createHash('sha256');
		let got = 0;
		let failures = 0;
		for (;;) {
			const parts = body[Symbol.asyncIterator]();
			let broken: unknown = null;
			for (;;) {
				// A reader that gives up is told at `yield`, outside of what is tried: then nothing goes on.
				const part = await parts.next().catch((error: unknown) => {
					broken = error;
					return null;
				});
				if (part === null || part.done === true) break;
				const chunk = part.value as Buffer;
				got += chunk.byteLength;
				failures = 0;
				hash.update(chunk);
				yield chunk;
			}
			if (got >= (expected as number)) break;
			broken ??= new Error(`${got} of ${expected} bytes came`);
			if (++failures >= options.attempts)
				throw new ProblemError(
					'unavailable',
					`The download of ${key} from ${bucketText(address)} breaks off again and again after ${got} of ${expected} bytes (${String(broken)})`,
				);
			await delay(FIRST_PAUSE * 2 ** (failures - 1));
			await goOn(got, broken).catch((error: unknown) => {
				throw failureOf(error, address);
			});
		}
		const found = hash.digest('hex');
		if (got > (expected as number) || (kept !== undefined && found !== kept))
			throw new ProblemError(
				'unavailable',
				`What ${bucketText(address)} gave for ${key} is not what was written there: ${got} bytes with SHA-256 ${found}, expected ${expected} with ${kept ?? 'any'}`,
			);
	}

	const stream = Readable.from(bytes(), { objectMode: false });
	// Also where nothing was read yet, so that no connection waits for a reader that has gone.
	stream.once('close', () => body.destroy());
	return stream;
}
