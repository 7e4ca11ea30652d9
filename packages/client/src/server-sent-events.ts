/** One event of a stream. `id` is the last one that the stream has given, null if it has given none. */
export type ServerSentEvent = { id: string | null; event: string; data: string };

/** The chunks of a body. Not every browser can loop over a stream. */
async function* chunksOf(body: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
	if (!(body instanceof ReadableStream)) return yield* body;
	const reader = body.getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			yield value;
		}
	} finally {
		await reader.cancel();
	}
}

/**
 * Reads the events of a `text/event-stream` body by the rules of WHATWG: lines end in LF, CR or CRLF; an event ends at an empty line; one without data is
 * dropped, as is one that the end of the stream cuts off; an `id` holds until another is given.
 */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
	const decoder = new TextDecoder();
	let pending = '';
	let id: string | null = null;
	let event = '';
	let data: string[] = [];
	for await (const chunk of chunksOf(body)) {
		pending += decoder.decode(chunk, { stream: true });
		// A CR at the end of a chunk may be the first half of a CRLF, so the next chunk decides.
		const lines = pending.split(/\r\n|\n|\r(?!$)/);
		pending = lines.pop() ?? '';
		for (const line of lines) {
			if (line === '') {
				if (data.length > 0) yield { id, event: event === '' ? 'message' : event, data: data.join('\n') };
				event = '';
				data = [];
				continue;
			}
			const colon = line.indexOf(':');
			if (colon === 0) continue;
			const field = colon < 0 ? line : line.slice(0, colon);
			const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
			if (field === 'data') data.push(value);
			else if (field === 'event') event = value;
			else if (field === 'id' && !value.includes('\0')) id = value;
		}
	}
}
