import { SteelyardError } from '@steelyard/client';
import type { VNode } from 'preact';
import { wantsKey } from '../loading.js';
import { askForKey } from './key-dialog.js';

/** Says what went wrong, in the words of the service, and offers to try again. */
export function Problem({ error, title, again }: { error: Error; title: string; again?: (() => void) | undefined }): VNode {
	const param = error instanceof SteelyardError ? error.param : null;
	return (
		<div class="note bad" role="alert">
			<strong>{wantsKey(error) ? 'The service wants a key' : title}</strong>
			<p>
				{error.message}
				{param !== null && (
					<>
						{' '}
						(<code>{param}</code>)
					</>
				)}
			</p>
			<p class="actions">
				{wantsKey(error) ? (
					<button type="button" class="primary" onClick={askForKey}>
						Give a key
					</button>
				) : (
					again !== undefined && (
						<button type="button" onClick={again}>
							Try again
						</button>
					)
				)}
			</p>
		</div>
	);
}
