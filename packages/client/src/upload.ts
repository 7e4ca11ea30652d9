/** What is uploaded: a file, or what is made on the way. */
export type UploadSource = Blob | ReadableStream<Uint8Array>;

/** Is told how many bytes were handed to the connection, and how many there are in all; null where nobody knows before, as of a stream. */
export type OnProgress = (sentBytes: number, totalBytes: number | null) => void;

/** One upload as fetch takes it, but for what is told meanwhile. */
export type Upload = { method: string; headers: Record<string, string>; body: UploadSource; signal?: AbortSignal };

/** What is used of XMLHttpRequest, which browsers alone have. */
type Request = {
	open(method: string, url: string): void;
	setRequestHeader(name: string, value: string): void;
	send(body: Blob): void;
	abort(): void;
	getAllResponseHeaders(): string;
	readonly status: number;
	readonly statusText: string;
	readonly responseText: string;
	readonly upload: { onprogress: (event: { loaded: number; total: number }) => void };
	onload: () => void;
	onerror: () => void;
	onabort: () => void;
	onloadend: () => void;
};
declare const XMLHttpRequest: (new () => Request) | undefined;

/** The headers of an answer as XMLHttpRequest gives them: a line each. */
function headersOf(lines: string): Headers {
	const headers = new Headers();
	for (const line of lines.trim().split(/\r?\n/)) {
		const colon = line.indexOf(':');
		if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
	}
	return headers;
}

/** Statuses whose answers may have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Uploads by XMLHttpRequest, which alone tells in a browser how far it is. */
const byRequest = (
	request: Request,
	url: string,
	{ method, headers, body, signal }: Omit<Upload, 'body'> & { body: Blob },
	onProgress: OnProgress,
): Promise<Response> =>
	new Promise((resolve, reject) => {
		signal?.throwIfAborted();
		const abort = () => request.abort();
		request.open(method, url);
		for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
		request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
		request.onload = () => {
			const { status, statusText, responseText } = request;
			resolve(
				new Response(BODILESS.has(status) ? null : responseText, {
					status,
					statusText,
					headers: headersOf(request.getAllResponseHeaders()),
				}),
			);
		};
		request.onerror = () => reject(new TypeError('the connection failed'));
		request.onabort = () => reject(signal?.reason);
		request.onloadend = () => signal?.removeEventListener('abort', abort);
		signal?.addEventListener('abort', abort);
		request.send(body);
	});

/** A stream that tells how much of it was read. */
function counted({ body, signal }: Upload, onProgress: OnProgress): ReadableStream<Uint8Array> {
	const total = body instanceof Blob ? body.size : null;
	let sent = 0;
	const counting = new TransformStream<Uint8Array, Uint8Array>({
		transform(chunk, controller) {
			sent += chunk.byteLength;
			controller.enqueue(chunk);
			onProgress(sent, total);
		},
	});
	return (body instanceof Blob ? body.stream() : body).pipeThrough(counting, signal === undefined ? {} : { signal });
}

/**
 * Uploads and tells meanwhile how far it is. Rejects as `send`, which is fetch, does: with the reason of the signal once that is aborted, else with a TypeError where no
 * answer came. A browser can send a file by XMLHttpRequest alone if it is to tell that; everywhere else the bytes are counted as they are read.
 */
export function uploadWith(send: typeof fetch, url: string, upload: Upload, onProgress: OnProgress): Promise<Response> {
	const { body, headers } = upload;
	if (typeof XMLHttpRequest === 'function' && body instanceof Blob && send === fetch)
		return byRequest(new XMLHttpRequest(), url, { ...upload, body }, onProgress);
	// The service can then refuse what is too large before it has all arrived.
	const length = body instanceof Blob ? { 'content-length': String(body.size) } : {};
	const init = { ...upload, headers: { ...headers, ...length }, body: counted(upload, onProgress), duplex: 'half' as const };
	return send(url, init);
}
