import type { StoredEntry } from '../store.js';
import { beginningOf, type S3 } from './connection.js';

/** A page of a listing: objects, and the keys of what lies deeper, which end in `/`. Keys are those of the store. */
type Page = { objects: StoredEntry[]; folders: string[] };

/** No key has a name that begins with a dot; what has is none of the store's objects. */
const isHidden = (key: string): boolean => /(^|\/)\./.test(key);

/** Lists what lies below a prefix, page by page: directly below it alone where `deep` is false. */
export async function* pagesOf(s3: S3, prefix: string, deep: boolean): AsyncGenerator<Page> {
	const { client, sdk, address, options } = s3;
	const own = beginningOf(address, '').length;
	let token: string | undefined;
	do {
		const answer = await client.send(
			new sdk.ListObjectsV2Command({
				Bucket: address.bucket,
				Prefix: beginningOf(address, prefix),
				...(options.pageKeys === null ? {} : { MaxKeys: options.pageKeys }),
				...(deep ? {} : { Delimiter: '/' }),
				...(token === undefined ? {} : { ContinuationToken: token }),
			}),
		);
		const objects = (answer.Contents ?? []).flatMap(({ Key = '', Size = 0, LastModified = new Date(0) }) => {
			const key = Key.slice(own);
			return key === '' || key.endsWith('/') || isHidden(key) ? [] : [{ key, bytes: Size, modified: LastModified }];
		});
		const folders = (answer.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix.slice(own)).filter((key) => !isHidden(key));
		yield { objects, folders };
		token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
	} while (token !== undefined);
}

/** Objects below a prefix together with the folders that they lie in. S3 has no folders: they are as new as the newest object inside. */
export function withFolders(prefix: string, objects: readonly StoredEntry[]): StoredEntry[] {
	const folders = new Map<string, Date>();
	for (const { key, modified } of objects)
		for (let end = key.lastIndexOf('/'); end > prefix.length; end = key.lastIndexOf('/', end - 1)) {
			const folder = key.slice(0, end + 1);
			const newest = folders.get(folder);
			if (newest === undefined || newest < modified) folders.set(folder, modified);
		}
	return [...objects, ...[...folders].map(([key, modified]) => ({ key, bytes: 0, modified }))];
}
