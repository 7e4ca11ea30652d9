import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { modalityName } from './manifest-edit.js';

/** Asks how a new modality is called that a column goes into. */
export function ModalityDialog({
	column,
	taken,
	close,
}: {
	column: string;
	taken: readonly string[];
	close: (name: string | null) => void;
}): VNode {
	const dialog = useRef<HTMLDialogElement>(null);
	const name = useSignal(modalityName(column));
	useEffect(() => dialog.current?.showModal(), []);
	const isTaken = taken.includes(name.value);
	return (
		<dialog ref={dialog} onClose={() => close(null)} aria-labelledby="modality-title">
			<form
				onSubmit={(event) => {
					event.preventDefault();
					close(name.value);
				}}
			>
				<h2 id="modality-title">A new modality with {column}</h2>
				<p>
					A modality is a group of columns that stand or fall together, such as the values of one laboratory. The model learns how far to
					trust each modality in each row.
				</p>
				<label class="field">
					<span>Name</span>
					<input
						value={name.value}
						required
						maxLength={63}
						pattern="[A-Za-z][A-Za-z0-9_\-]*"
						aria-describedby="modality-hint"
						onInput={(event) => {
							name.value = event.currentTarget.value;
						}}
					/>
				</label>
				<p class="hint" id="modality-hint">
					{isTaken ? 'There is one of that name already, which the column then goes into.' : 'A letter, then letters, digits, _ and -.'}
				</p>
				<p class="actions">
					<button type="submit" class="primary">
						Put it there
					</button>
					<button type="button" onClick={() => close(null)}>
						Leave it
					</button>
				</p>
			</form>
		</dialog>
	);
}
