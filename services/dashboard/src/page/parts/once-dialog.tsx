import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CopyButton } from './copy-button.js';

export type OnceDialogProps = {
	title: string;
	/** The text that is shown. */
	text: string;
	/** What it is, for those who do not see it, such as `the token`. */
	what: string;
	close: () => void;
	/** What to know of it. */
	children: ComponentChildren;
};

/** Shows a secret that was just made: the one time that it can be seen. */
export function OnceDialog({ title, text, what, close, children }: OnceDialogProps): VNode {
	const dialog = useRef<HTMLDialogElement>(null);
	useEffect(() => dialog.current?.showModal(), []);
	return (
		<dialog ref={dialog} onClose={close} aria-labelledby="once-title">
			<h2 id="once-title">{title}</h2>
			{children}
			<pre>{text}</pre>
			<p class="actions">
				<CopyButton text={text} what={what} />
				<button type="button" class="primary" onClick={() => dialog.current?.close()}>
					I have it
				</button>
			</p>
		</dialog>
	);
}
