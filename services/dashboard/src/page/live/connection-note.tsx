import { signal } from '@preact/signals';
import type { VNode } from 'preact';

/** Whether what the page shows is live: `idle` while nothing is followed, `lost` while it tries to connect again. */
export const connection = signal<'idle' | 'open' | 'lost'>('idle');

/** Says that the page shows what was last known, for as long as the service cannot be reached. */
export function ConnectionNote(): VNode {
	return (
		<div role="status" aria-live="polite">
			{connection.value === 'lost' && (
				<p class="banner">
					The connection to the service is lost. The page shows what was last known, and goes on by itself once the service answers.
				</p>
			)}
		</div>
	);
}
