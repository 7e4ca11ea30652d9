import { once } from 'node:events';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { Address } from './addresses.js';

/** Milliseconds that a post may take, from the look-up of the name to the last byte that is read. */
const LONGEST = 10_000;
/** How much of an answer is read, in bytes. */
const MOST_READ = 4096;

/** A lookup that knows one address: what is connected to is what was checked, also where the name leads elsewhere by now. */
const only =
	({ address, family }: Address): LookupFunction =>
	(_, options, done) =>
		options.all ? done(null, [{ address, family }]) : done(null, address, family);

/** Waits for a promise, at most until the signal is aborted. */
const until = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
	Promise.race([promise, once(signal, 'abort').then(() => Promise.reject(signal.reason))]);

export type Posted = { url: string; headers: Record<string, string>; body: string };

/**
 * Posts a body to an address of http or https. Follows nothing that the answer says, and reads little of it. Rejects, with words that may be shown, where
 * the answer is not 2xx, and where none comes within `ms` milliseconds.
 */
export async function post({ url, headers, body }: Posted, addressOf: (host: string) => Promise<Address>, ms = LONGEST): Promise<void> {
	const target = new URL(url);
	if (!['http:', 'https:'].includes(target.protocol)) throw new Error(`${target.protocol} is neither http: nor https:`);
	const signal = AbortSignal.timeout(ms);
	try {
		const address = await until(signal, addressOf(target.hostname));
		const options: RequestOptions = {
			...urlToHttpOptions(target),
			...{ method: 'POST', agent: false, lookup: only(address), signal },
			headers: { ...headers, 'content-length': Buffer.byteLength(body) },
		};
		const request = target.protocol === 'https:' ? https.request(options) : http.request(options);
		// What comes after an answer was taken is nobody's concern.
		request.on('error', () => {});
		request.end(body);
		const [response] = (await once(request, 'response')) as [IncomingMessage];
		const { statusCode = 0 } = response;
		let read = 0;
		for await (const chunk of response) if ((read += (chunk as Buffer).length) > MOST_READ) break;
		response.destroy();
		if (statusCode < 200 || statusCode > 299)
			throw new Error(
				`${target.host} answered ${statusCode}${statusCode >= 300 && statusCode < 400 ? ', and redirections are not followed' : ''}`,
			);
	} catch (error) {
		if (signal.aborted) throw new Error(`${target.host} did not answer within ${ms / 1000} s`, { cause: error });
		throw error;
	}
}
