import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@steelyard/client';
import type { Artifact } from '@steelyard/contracts';

/** The bytes that arrived are not those that the service has on record. */
export class ChecksumError extends Error {
	override readonly name = 'ChecksumError';
	readonly code = 'checksum';
}

type Incoming = { id: string; artifact: Artifact; body: Readable };

async function request(client: Client, id: string, name: string, signal: AbortSignal | undefined): Promise<Incoming> {
	const response = await client.jobs.download(id, name, signal === undefined ? {} : { signal });
	const artifact = (await client.jobs.artifacts(id)).data.find((one) => one.name === name);
	if (artifact === undefined || response.body === null) throw new Error(`${id} has no artifact ${name}`);
	return { id, artifact, body: Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]) };
}

/** Writes what comes in to `target` and checks its SHA-256 when all of it is written. */
async function write(
	{ id, artifact, body }: Incoming,
	target: Writable,
	options: { end?: boolean; signal?: AbortSignal },
): Promise<Artifact> {
	const hash = createHash('sha256');
	const hashing = new Transform({
		transform(chunk: Buffer, _encoding, next) {
			hash.update(chunk);
			next(null, chunk);
		},
	});
	await pipeline(body, hashing, target, options);
	const sha256 = hash.digest('hex');
	if (sha256 !== artifact.sha256)
		throw new ChecksumError(`${artifact.name} of ${id} arrived with the SHA-256 ${sha256}, expected ${artifact.sha256}: download it again`);
	return artifact;
}

/** Writes an artifact to a stream, which stays open. Throws ChecksumError where its SHA-256 is not that of the record; by then the bytes are written. */
export async function writeArtifact(client: Client, id: string, name: string, target: Writable, signal?: AbortSignal): Promise<Artifact> {
	return write(await request(client, id, name, signal), target, { end: false, ...(signal && { signal }) });
}

/** Downloads an artifact to `file`, whole or not at all. Throws ChecksumError where its SHA-256 is not that of the record. */
export async function downloadArtifact(client: Client, id: string, name: string, file: string, signal?: AbortSignal): Promise<Artifact> {
	const incoming = await request(client, id, name, signal);
	const part = `${file}.part-${process.pid}`;
	try {
		const artifact = await write(incoming, createWriteStream(part, { flush: true }), signal === undefined ? {} : { signal });
		await rename(part, file);
		return artifact;
	} finally {
		await rm(part, { force: true });
	}
}
