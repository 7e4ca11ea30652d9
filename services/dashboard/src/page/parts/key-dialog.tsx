import { signal, useSignal } from '@preact/signals';
import { createClient } from '@steelyard/client';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { hasKey, project, serviceUrl, useKey, useProject } from '../session.js';

const isAsked = signal(false);

/** Whether the page asks for a key now. */
export const askedForKey = isAsked;

/** Has the page ask for a key. */
export const askForKey = (): void => {
	isAsked.value = true;
};

/** Asks for a key, tries it, and keeps it until the tab is closed. */
export function KeyDialog(): VNode {
	const dialog = useRef<HTMLDialogElement>(null);
	const refusal = useSignal<string | null>(null);
	useEffect(() => dialog.current?.showModal(), []);
	const close = (): void => {
		isAsked.value = false;
	};
	const submit = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		const fields = new FormData(event.currentTarget as HTMLFormElement);
		const token = String(fields.get('key') ?? '').trim();
		const wanted = String(fields.get('project') ?? '').trim() || null;
		try {
			await createClient({ url: serviceUrl, apiKey: token }).keys.self();
			useProject(wanted);
			useKey(token);
			close();
		} catch (error) {
			refusal.value = (error as Error).message;
		}
	};
	return (
		<dialog ref={dialog} onClose={close} aria-labelledby="key-title">
			<form onSubmit={(event) => void submit(event)}>
				<h2 id="key-title">Key of the service</h2>
				<p>It is kept in this tab alone, and forgotten when the tab is closed.</p>
				<label class="field">
					<span>Key</span>
					<input
						name="key"
						type="password"
						autocomplete="off"
						required
						aria-describedby={refusal.value === null ? undefined : 'key-refused'}
					/>
				</label>
				<label class="field">
					<span>Project (only for keys of the scope admin)</span>
					<input name="project" value={project.value ?? ''} placeholder="default" autocomplete="off" />
				</label>
				{refusal.value !== null && (
					<p id="key-refused" class="field-error" role="alert">
						{refusal.value}
					</p>
				)}
				<p class="actions">
					<button type="submit" class="primary">
						Use it
					</button>
					<button type="button" onClick={close}>
						Not now
					</button>
					{hasKey.value && (
						<button
							type="button"
							onClick={() => {
								useKey(null);
								close();
							}}
						>
							Forget the key
						</button>
					)}
				</p>
			</form>
		</dialog>
	);
}
