import { errorOf, SteelyardError } from './error.js';

export type ClientOptions = {
	/** Address of the API, such as `http://127.0.0.1:8080`; a path in it is kept. */
	url: string;
	apiKey?: string;
	/** In place of the global fetch. */
	fetch?: typeof fetch;
};

export type Send = {
	query?: Record<string, string | number | undefined>;
	headers?: Record<string, string>;
	/** Sent as JSON. */
	json?: unknown;
	body?: Blob | ReadableStream<Uint8Array>;
	signal?: AbortSignal | undefined;
	/** Statuses beside 2xx that are answers, not errors. */
	accept?: readonly number[];
};

/** Sends one request; resolves with a successful answer, rejects with SteelyardError, or with the signal's reason when aborted. */
export type Connection = (method: string, path: string, send?: Send) => Promise<Response>;

export function connect({ url, apiKey, fetch: send = fetch }: ClientOptions): Connection {
	const base = url.replace(/\/+$/, '');
	return async (method, path, { query = {}, headers = {}, json, body, signal, accept = [] } = {}) => {
		const search = new URLSearchParams();
		for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
		const address = `${base}${path}${search.size > 0 ? `?${search}` : ''}`;
		const payload = json === undefined ? body : JSON.stringify(json);
		const init = {
			method,
			headers: {
				...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
				...(json === undefined ? {} : { 'content-type': 'application/json' }),
				...headers,
			},
			...(payload === undefined ? {} : { body: payload }),
			// fetch refuses a streamed body that does not say so.
			...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
			...(signal === undefined ? {} : { signal }),
		};
		let response: Response;
		try {
			response = await send(address, init);
		} catch (error) {
			if (signal?.aborted) throw error;
			const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
			const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause);
			throw new SteelyardError('unreachable', `${base} is not reachable: ${reason}`, 0, null, { cause: error });
		}
		if (response.ok || accept.includes(response.status)) return response;
		throw await errorOf(response);
	};
}

/** The JSON body of an answer; SteelyardError `unexpected_answer` where it is none. */
export async function jsonOf<T>(response: Response): Promise<T> {
	const text = await response.text();
	try {
		return JSON.parse(text) as T;
	} catch (cause) {
		throw new SteelyardError(
			'unexpected_answer',
			`${response.url} answered ${response.status} without JSON: ${text.slice(0, 200)}`,
			response.status,
			null,
			{ cause },
		);
	}
}
