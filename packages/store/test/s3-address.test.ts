import { describe, expect, it } from 'vitest';
import { isS3Address, S3AddressError, s3AddressOf } from '../src/index.js';

describe('the address of a store on S3', () => {
	it('names a bucket of AWS, and what the keys begin with', () => {
		expect(s3AddressOf('s3://models')).toEqual({ bucket: 'models', prefix: '', endpoint: null, region: null, pathStyle: false });
		expect(s3AddressOf('s3://models/a/b%20c/?region=eu-west-1')).toMatchObject({ prefix: 'a/b c', region: 'eu-west-1' });
	});

	it('names another server, whose buckets are in the path unless told otherwise', () => {
		const address = { bucket: 'models', prefix: 'x', endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', pathStyle: true };
		expect(s3AddressOf('s3://models/x?endpoint=http://127.0.0.1:9000')).toEqual(address);
		expect(s3AddressOf('s3://models/x?endpoint=http://127.0.0.1:9000/&region=here&path-style=false')).toEqual({
			...address,
			region: 'here',
			pathStyle: false,
		});
	});

	it('is told from a folder', () => {
		expect(['s3://models', 'S3:x', './s3', '/s3://x', 's3'].map(isS3Address)).toEqual([true, true, false, false, false]);
	});

	it.each([
		['s3:// x', 'is no URL'],
		['https://models', 'begins with "https:"'],
		['s3://Models', '"Models" is no name of a bucket'],
		['s3://ab', '3 to 63'],
		['s3://models:80/x', 'no name of a bucket'],
		['s3:///x', 'no name of a bucket'],
		['s3://key:secret@models', 'may not hold credentials: set AWS_ACCESS_KEY_ID'],
		['s3://models/a//b', 'the prefix cannot be used'],
		['s3://models/.a', 'may not begin with a dot'],
		['s3://models/%zz', 'the prefix cannot be used'],
		['s3://models?endpoint=127.0.0.1:9000', 'the endpoint must be a URL of http or https'],
		['s3://models?endpoint=ftp://x', 'the endpoint must be a URL of http or https'],
		['s3://models?endpoint=http://key:secret@x', 'the endpoint may not hold credentials'],
		['s3://models?endpoint=http://x/%3Fa=1%23', 'may'],
		['s3://models?region=', '"" is no name of a region'],
		['s3://models?path-style=yes', 'path-style must be true or false, not "yes"'],
		['s3://models?regoin=x', 'unknown parameter "regoin"'],
		['s3://models?region=a&region=b', 'names region more than once'],
	])('%s is refused with words, and shows no secret', (text, words) => {
		const refusal = (() => {
			try {
				return s3AddressOf(text);
			} catch (error) {
				return error as Error;
			}
		})();
		expect(refusal).toBeInstanceOf(S3AddressError);
		expect((refusal as Error).message).toContain(words);
		expect((refusal as Error).message).toContain('expected s3://bucket/prefix?');
		expect((refusal as Error).message).not.toContain('secret');
	});
});
