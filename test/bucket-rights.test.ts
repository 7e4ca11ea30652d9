import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { blocksOf } from './documents/markdown.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const S3 = join(ROOT, 'packages/store/src/s3');

/** The rights that the commands of the client want, by https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html; those of the bucket, then those of its objects. */
const RIGHTS: Record<string, { bucket?: string[]; objects?: string[] }> = {
	AbortMultipartUpload: { objects: ['AbortMultipartUpload'] },
	CopyObject: { objects: ['GetObject', 'PutObject'] },
	DeleteObject: { objects: ['DeleteObject'] },
	DeleteObjects: { objects: ['DeleteObject'] },
	GetObject: { objects: ['GetObject'] },
	// Without the right to list, what is not there is answered as forbidden.
	HeadObject: { bucket: ['ListBucket'], objects: ['GetObject'] },
	ListMultipartUploads: { bucket: ['ListBucketMultipartUploads'] },
	ListObjectsV2: { bucket: ['ListBucket'] },
	ListParts: { objects: ['ListMultipartUploadParts'] },
	PutObject: { objects: ['PutObject'] },
	/** In parts, as lib-storage does it, which aborts what it cannot end. */
	Upload: { objects: ['PutObject', 'AbortMultipartUpload'] },
};

it('the policy in the documents has the rights for what the store calls on S3, and no other', () => {
	const source = readdirSync(S3)
		.map((file) => readFileSync(join(S3, file), 'utf8'))
		.join('\n');
	const called = new Set([
		...[...source.matchAll(/\bsdk\.(\w+)Command\b/g)].map(([, name = '']) => name),
		...[...source.matchAll(/\bnew (Upload)\(/g)].map(([, name = '']) => name),
		...[...source.matchAll(/\bpaginate(\w+)\(/g)].map(([, name = '']) => name),
	]);
	expect([...called].filter((name) => !(name in RIGHTS))).toEqual([]);
	const wanted = (of: 'bucket' | 'objects') =>
		[...new Set([...called].flatMap((name) => RIGHTS[name]?.[of] ?? []))].map((right) => `s3:${right}`).sort();
	const blocks = blocksOf(readFileSync(join(ROOT, 'docs/deploying.md'), 'utf8'));
	const policy = JSON.parse(blocks.find(({ language, text }) => language === 'json' && text.includes('s3:'))?.text ?? '{}') as {
		Statement: { Action: string[]; Resource: string }[];
	};
	const [bucket, objects] = policy.Statement;
	expect([bucket?.Action.toSorted(), objects?.Action.toSorted()]).toEqual([wanted('bucket'), wanted('objects')]);
	expect([bucket?.Resource, objects?.Resource]).toEqual(['arn:aws:s3:::steelyard', 'arn:aws:s3:::steelyard/data/*']);
});
