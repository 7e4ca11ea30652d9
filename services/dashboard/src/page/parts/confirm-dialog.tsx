import { useSignal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export type ConfirmDialogProps = {
	title: string;
	/** What the button says that does it. */
	action: string;
	/** Does it. What it rejects with is shown, and the question stays. */
	confirm: () => Promise<void>;
	close: () => void;
	/** What will be lost. */
	children: ComponentChildren;
};

/** Asks before something is done that cannot be undone. */
export function ConfirmDialog({ title, action, confirm, close, children }: ConfirmDialogProps): VNode {
	const dialog = useRef<HTMLDialogElement>(null);
	const refusal = useSignal<string | null>(null);
	const isDoing = useSignal(false);
	useEffect(() => dialog.current?.showModal(), []);
	const submit = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		isDoing.value = true;
		refusal.value = null;
		try {
			await confirm();
			close();
		} catch (error) {
			refusal.value = (error as Error).message;
		} finally {
			isDoing.value = false;
		}
	};
	return (
		<dialog ref={dialog} onClose={close} aria-labelledby="confirm-title">
			<form onSubmit={(event) => void submit(event)}>
				<h2 id="confirm-title">{title}</h2>
				{children}
				{refusal.value !== null && (
					<p class="field-error" role="alert">
						{refusal.value}
					</p>
				)}
				<p class="actions">
					<button type="submit" class="danger" disabled={isDoing.value}>
						{action}
					</button>
					<button type="button" onClick={() => dialog.current?.close()}>
						Keep
					</button>
				</p>
			</form>
		</dialog>
	);
}
