import { liveLine } from './live-line.js';
import { bytesText } from './units.js';

/** What is sent, and of how many bytes; null where nobody knows before, as of an archive that is made on the way. */
export type Upload = { readonly body: ReadableStream<Uint8Array>; readonly bytes: number | null };

/** The line of an upload of which so many bytes were given to the connection. */
function lineOf(sent: number, bytes: number | null, isWhole: boolean): string {
	if (isWhole) return `  sent ${bytesText(sent)}, which the service now reads`;
	if (bytes === null) return `  sent ${bytesText(sent)}`;
	return `  sent ${String(Math.floor((100 * sent) / Math.max(1, bytes))).padStart(3)} % of ${bytesText(bytes)}`;
}

/**
 * Sends an upload, and shows meanwhile on a terminal how much of it was sent, and then that the service reads it. The line is gone afterwards; on another output there is
 * none. Gives what `send` gives.
 */
export async function shownUpload<T>(
	{ body, bytes }: Upload,
	stream: NodeJS.WriteStream,
	send: (body: ReadableStream<Uint8Array>) => Promise<T>,
): Promise<T> {
	if (!stream.isTTY) return send(body);
	const line = liveLine(stream);
	let shown = '';
	let sent = 0;
	const show = (isWhole: boolean): void => {
		const text = lineOf(sent, bytes, isWhole);
		if (text !== shown) line.draw((columns) => text.slice(0, columns));
		shown = text;
	};
	const counted = new TransformStream<Uint8Array, Uint8Array>({
		transform(chunk, controller) {
			sent += chunk.length;
			show(false);
			controller.enqueue(chunk);
		},
		flush: () => show(true),
	});
	try {
		return await send(body.pipeThrough(counted));
	} finally {
		line.close();
	}
}
