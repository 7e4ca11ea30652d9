import { errorOf, SteelyardError } from './error.js';
import { repeated } from './repeat.js';
import { type OnProgress, type UploadSource, uploadWith } from './upload.js';

/** Where the service is, and how to reach it. */
export type ClientOptions = {
	/** The address of the API, such as `http://127.0.0.1:8080`. If it has a path, the paths of the API are appended to that. */
	url: string;
	/** The token of a key, or STEELYARD_API_KEY of the service. */
	apiKey?: string;
	/** The project to work in, for a key of the scope admin; `default` unless given. */
	project?: string;
	/** How often a request is sent again that may have been lost or came at a bad time, if that does no harm: 2 unless given, and 0 for never. */
	retries?: number;
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
	body?: UploadSource;
	/** Is told how much of the body was sent. */
	onProgress?: OnProgress | undefined;
	/** For a POST that does no harm when it arrives twice: the key by which the service knows it again. One is made where the caller gives none and requests are repeated. */
	idempotent?: { key: string | undefined };
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

/** A key that no one else has. `crypto.randomUUID` is not there in pages that came over http. */
const randomKey = (): string =>
	Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Makes the function that sends requests to one service. */
export function connect({ url, apiKey, project, retries = 2, fetch: send = fetch }: ClientOptions): Connection {
	const base = url.replace(/\/+$/, '');

	function unreachable(error: unknown): SteelyardError {
		const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
		const reason = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause);
		return new SteelyardError('unreachable', `${base} is not reachable: ${reason}`, 0, null, { cause: error });
	}

	return async (method, path, { query = {}, headers = {}, json, body, onProgress, idempotent, signal, accept = [] } = {}) => {
		const address = `${base}${path}${queryText(query)}`;
		const key = idempotent === undefined ? undefined : (idempotent.key ?? (retries > 0 ? randomKey() : undefined));
		const common = {
			method,
			headers: {
				...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
				...(project === undefined ? {} : { 'steelyard-project': project }),
				...(json === undefined ? {} : { 'content-type': 'application/json' }),
				...(key === undefined ? {} : { 'idempotency-key': key }),
				...headers,
			},
			...(signal === undefined ? {} : { signal }),
		};
		const payload = json === undefined ? body : JSON.stringify(json);
		const ask = (): Promise<Response> =>
			body !== undefined && onProgress !== undefined
				? uploadWith(send, address, { ...common, body }, onProgress)
				: send(address, {
						...common,
						...(payload === undefined ? {} : { body: payload }),
						// fetch refuses a body that is a stream without this option.
						...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
					});
		async function once(): Promise<Response> {
			let response: Response;
			try {
				response = await ask();
			} catch (error) {
				throw signal?.aborted ? error : unreachable(error);
			}
			if (response.ok || accept.includes(response.status)) return response;
			throw await errorOf(response);
		}
		// Whoever follows a stream connects again by itself, and goes on where it was.
		const isRepeated = (method === 'GET' && headers['accept'] !== 'text/event-stream') || key !== undefined;
		return isRepeated ? repeated(once, retries, signal) : once();
	};
}

/** Reads the JSON body of an answer. Rejects with SteelyardError `unexpected_answer` if the body is not JSON, and `unreachable` if it did not arrive whole. */
export async function jsonOf<T>(response: Response): Promise<T> {
	const text = await response.text().catch((cause: unknown) => {
		if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
		throw new SteelyardError('unreachable', `The answer of ${response.url} broke off`, 0, null, { cause });
	});
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
