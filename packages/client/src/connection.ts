import { errorOf, SteelyardError } from './error.js';

/** Where the service is, and how to reach it. */
export type ClientOptions = {
	/** The address of the API, such as `http://127.0.0.1:8080`. If it has a path, the paths of the API are appended to that. */
	url: string;
	/** The token of a key, or STEELYARD_API_KEY of the service. */
	apiKey?: string;
	/** The project to work in, for a key of the scope admin; `default` unless given. */
	project?: string;
	/** Is called in place of the global fetch. */
	fetch?: typeof fetch;
};

/** The fields of a query: a list is sent as one field several times, an object as fields such as `metadata[name]`. */
export type Query = Readonly<Record<string, string | number | readonly string[] | Readonly<Record<string, string>> | undefined>>;

/** What a request carries. */
export type Send = {
	query?: Query;
	headers?: Record<string, string>;
	/** A value that is sent as JSON. */
	json?: unknown;
	body?: Blob | ReadableStream<Uint8Array>;
	signal?: AbortSignal | undefined;
	/** Statuses that count as success, beside all of 2xx. */
	accept?: readonly number[];
};

/** Sends one request and resolves with its answer if that is a success. Rejects with SteelyardError, or with the reason of the signal once that is aborted. */
export type Connection = (method: string, path: string, send?: Send) => Promise<Response>;

/** A query as the service reads it, with its question mark; nothing where no field has a value. */
function queryText(query: Query): string {
	const search = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		if (value === undefined) continue;
		if (typeof value !== 'object') search.append(name, String(value));
		else if (Array.isArray(value)) for (const one of value) search.append(name, one);
		else for (const [key, text] of Object.entries(value)) search.append(`${name}[${key}]`, text);
	}
	return search.size > 0 ? `?${search}` : '';
}

/** Makes the function that sends requests to one service. */
export function connect({ url, apiKey, project, fetch: send = fetch }: ClientOptions): Connection {
	const base = url.replace(/\/+$/, '');
	return async (method, path, { query = {}, headers = {}, json, body, signal, accept = [] } = {}) => {
		const address = `${base}${path}${queryText(query)}`;
		const payload = json === undefined ? body : JSON.stringify(json);
		const init = {
			method,
			headers: {
				...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
				...(project === undefined ? {} : { 'steelyard-project': project }),
				...(json === undefined ? {} : { 'content-type': 'application/json' }),
				...headers,
			},
			...(payload === undefined ? {} : { body: payload }),
			// fetch refuses a body that is a stream without this option.
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

/** Reads the JSON body of an answer. Rejects with SteelyardError `unexpected_answer` if the body is not JSON. */
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
