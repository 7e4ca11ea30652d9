import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';

/** Puts a text on the clipboard. Browsers have no `navigator.clipboard` where the page comes over plain http from another machine. */
async function copy(text: string): Promise<boolean> {
	try {
		if (navigator.clipboard !== undefined) {
			await navigator.clipboard.writeText(text);
			return true;
		}
	} catch {
		// The browser does not let the page write; the way below may still be open.
	}
	const area = Object.assign(document.createElement('textarea'), { value: text });
	(document.querySelector('dialog[open]') ?? document.body).append(area);
	area.select();
	const isCopied = document.execCommand('copy');
	area.remove();
	return isCopied;
}

/** A button that copies a text; `what` says of which, for those who do not see what stands beside it. */
export function CopyButton({ text, what }: { text: string; what: string }): VNode {
	const said = useSignal('Copy');
	const press = async (): Promise<void> => {
		said.value = (await copy(text)) ? 'Copied ✓' : 'Select it and copy';
		setTimeout(() => {
			said.value = 'Copy';
		}, 2000);
	};
	return (
		<button type="button" onClick={() => void press()}>
			<span aria-live="polite">{said}</span> <span class="unseen">{what}</span>
		</button>
	);
}
