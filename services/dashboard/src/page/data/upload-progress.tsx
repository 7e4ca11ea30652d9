import type { VNode } from 'preact';
import { bytes, percent } from '../format.js';

/** How much of a file was sent. */
export type Sent = { readonly sent: number; readonly total: number };

/** How far the upload is. */
export function UploadProgress({ sent: { sent, total }, cancel }: { sent: Sent; cancel: () => void }): VNode {
	const isSent = sent >= total;
	return (
		<div class="note" role="group" aria-label="Upload">
			<strong>{isSent ? 'The service reads and checks it' : 'The file is being sent'}</strong>
			<p>{isSent || sent === 0 ? <progress aria-label="The upload" /> : <progress aria-label="The upload" value={sent} max={total} />}</p>
			<p>
				{isSent
					? `All ${bytes(total)} have arrived. Large files take a while.`
					: sent === 0
						? `${bytes(total)} are on their way …`
						: `${bytes(sent)} of ${bytes(total)}, ${percent(Math.floor((sent / total) * 100) / 100)}`}{' '}
				Stay on this page until it is done.
			</p>
			<p class="actions">
				<button type="button" onClick={cancel}>
					Cancel the upload
				</button>
			</p>
		</div>
	);
}
