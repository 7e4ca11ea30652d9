import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@steelyard/client';
import type { Artifact } from '@steelyard/contracts';

/** What arrived is not what the service said it would send. */
export class ChecksumError extends Error {
	override readonly name = 'ChecksumError';
	readonly code = 'checksum';
}

/** Downloads an artifact to `file`, whole or not at all, and checks its checksum. Throws ChecksumError where it differs. */
export async function downloadArtifact(client: Client, id: string, name: string, file: string, signal?: AbortSignal): Promise<Artifact> {
	const response = await client.jobs.download(id, name, signal === undefined ? {} : { signal });
	const artifact = (await client.jobs.artifacts(id)).data.find((one) => one.name === name);
	if (artifact === undefined || response.body === null) throw new Error(`${id} has no artifact ${name}`);
	const hash = createHash('sha256');
	const hashing = new Transform({
		transform(chunk: Buffer, _encoding, next) {
			hash.update(chunk);
			next(null, chunk);
		},
	});
	const part = `${file}.part-${process.pid}`;
	try {
		await pipeline(
			Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
			hashing,
			createWriteStream(part, { flush: true }),
			signal === undefined ? {} : { signal },
		);
		const sha256 = hash.digest('hex');
		if (sha256 !== artifact.sha256)
			throw new ChecksumError(`${name} of ${id} arrived with the SHA-256 ${sha256}, expected ${artifact.sha256}: download it again`);
		await rename(part, file);
	} finally {
		await rm(part, { force: true });
	}
	return artifact;
}
