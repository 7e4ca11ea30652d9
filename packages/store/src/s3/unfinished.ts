import type { ListMultipartUploadsCommandOutput } from '@aws-sdk/client-s3';
import type { StoredEntry } from '../store.js';
import { beginningOf, type S3 } from './connection.js';
import { statusOf } from './failure.js';

/** The age, in milliseconds, after which an upload that is not whole is taken for that of a killed process. */
const ABANDONED = 24 * 60 * 60 * 1000;

type Unfinished = { Key: string; UploadId: string; begun: Date };

/** The uploads in parts that are not whole yet, and those that killed processes have left. */
async function uploadsIn({ client, sdk, address }: S3): Promise<Unfinished[]> {
	const found: Unfinished[] = [];
	let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
	while (after !== undefined) {
		const answer: ListMultipartUploadsCommandOutput = await client.send(
			new sdk.ListMultipartUploadsCommand({ Bucket: address.bucket, Prefix: beginningOf(address, ''), ...after }),
		);
		for (const { Key, UploadId, Initiated } of answer.Uploads ?? [])
			if (Key !== undefined && UploadId !== undefined) found.push({ Key, UploadId, begun: Initiated ?? new Date(0) });
		const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = answer;
		after =
			IsTruncated === true && NextKeyMarker !== undefined
				? { KeyMarker: NextKeyMarker, ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }) }
				: undefined;
	}
	return found;
}

/** What one that has ended meanwhile answers. */
function ended(error: unknown): null {
	if (statusOf(error) === 404) return null;
	throw error;
}

/** The unfinished uploads with the bytes of the parts that have arrived, up to a thousand of each. */
export async function unfinished(s3: S3): Promise<StoredEntry[]> {
	const { client, sdk, address } = s3;
	const found: StoredEntry[] = [];
	for (const { Key, UploadId, begun } of await uploadsIn(s3)) {
		const parts = await client.send(new sdk.ListPartsCommand({ Bucket: address.bucket, Key, UploadId })).catch(ended);
		if (parts === null) continue;
		const bytes = (parts.Parts ?? []).reduce((sum, { Size = 0 }) => sum + Size, 0);
		found.push({ key: Key.slice(beginningOf(address, '').length), bytes, modified: begun });
	}
	return found;
}

/** Ends the uploads that killed processes have left. */
export async function endAbandoned(s3: S3, now = Date.now()): Promise<void> {
	const { client, sdk, address } = s3;
	for (const { Key, UploadId, begun } of await uploadsIn(s3))
		if (now - begun.getTime() > ABANDONED)
			await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: address.bucket, Key, UploadId })).catch(ended);
}
