import { mayDo, type NewKey, type Scope } from '@steelyard/contracts';
import { keyKeys } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../src/fastify-app.js';
import { checkerOf, type Document } from './document.js';
import { injectOnce } from './event-stream.js';
import { requestsOf } from './requests.js';
import { expectProblem, openService, type Service } from './service.js';

const FIRST = 'the-first-admin-key';
/** What may be sent as a key, and the scope that it has; null where it is not valid. */
const SENT: Readonly<Record<string, Scope | null>> = {
	none: null,
	wrong: null,
	expired: null,
	revoked: null,
	read: 'read',
	train: 'train',
	admin: 'admin',
	first: 'admin',
};

let service: Service;
let app: App;
let document: Document;
let checker: ReturnType<typeof checkerOf>;
let headers: Record<string, { authorization?: string }>;
beforeAll(async () => {
	service = await openService();
	app = await service.build({ apiKey: FIRST, limits: { refusals: 10_000 } });
	const first = { authorization: `Bearer ${FIRST}` };
	document = (await app.inject({ url: '/openapi.json', headers: first })).json();
	checker = checkerOf(document);
	const create = async (scope: Scope): Promise<NewKey> =>
		(await app.inject({ method: 'POST', url: '/v1/keys', headers: first, payload: { name: scope, scope } })).json();
	const bearer = ({ token }: NewKey) => ({ authorization: `Bearer ${token}` });
	const [expired, revoked] = [await create('admin'), await create('admin')];
	const record = JSON.parse(String(await service.store.get(keyKeys.record(expired.id))));
	await service.store.put(keyKeys.record(expired.id), JSON.stringify({ ...record, expires_at: record.created_at - 1 }));
	await app.inject({ url: '/v1/caller', headers: bearer(revoked) });
	await app.inject({ method: 'DELETE', url: `/v1/keys/${revoked.id}`, headers: first });
	headers = {
		...{ none: {}, wrong: { authorization: 'Bearer wrong' }, expired: bearer(expired), revoked: bearer(revoked), first },
		...{ read: bearer(await create('read')), train: bearer(await create('train')), admin: bearer(await create('admin')) },
	};
});
afterAll(() => service.close());

/** The scope that an operation needs, as the document says it; null where it needs no key. */
function neededBy(security: object[] | undefined): Scope | null {
	const [only] = security ?? expect.unreachable('an operation says nothing of keys');
	return only === undefined ? null : ((only as { key: Scope[] }).key[0] ?? expect.unreachable('an operation names no scope'));
}

describe.each(Object.entries(SENT))('a key that is %s', (kind, scope) => {
	it('is let in by every operation that its scope allows, and by no other', async () => {
		const requests = requestsOf(document);
		expect(requests.length).toBeGreaterThan(40);
		for (const { name, method, operation, url, kind: resource } of requests) {
			const response = await injectOnce(app, { method, url: url(`${resource}_0`), headers: headers[kind] ?? {} });
			const needed = neededBy(operation.security);
			const expected = needed === null || (scope !== null && mayDo(scope, needed)) ? null : scope === null ? 401 : 403;
			if (expected === null) expect([401, 403, 429], `${name} ${kind}`).not.toContain(response.statusCode);
			else expect(response.statusCode, `${name} ${kind}`).toBe(expected);
			if (method === 'HEAD') continue;
			const { statusCode: status, body } = response;
			checker.check({ method, url: url(`${resource}_0`), status, headers: response.headers, body });
			if (expected !== null) expectProblem(response, expected, expected === 401 ? 'unauthorized' : 'forbidden');
		}
	});

	it('is held to its scope by what the document does not name', async () => {
		const statusOf = async (url: string) => (await app.inject({ url, headers: headers[kind] ?? {} })).statusCode;
		expect(await statusOf('/metrics')).toBe(scope === null ? 401 : scope === 'admin' ? 200 : 403);
		expect(await statusOf('/openapi.json')).toBe(200);
		expect(await statusOf('/nowhere')).toBe(scope === null ? 401 : 404);
	});
});
