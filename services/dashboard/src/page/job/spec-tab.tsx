import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import type { TabProps } from './tab.js';

/** The spec of a job with every default filled in. */
export function SpecTab({ job }: TabProps): VNode {
	const isCopied = useSignal(false);
	const text = JSON.stringify(job.spec, null, 2);
	return (
		<>
			<p class="actions">
				<button type="button" onClick={() => void navigator.clipboard.writeText(text).then(() => (isCopied.value = true))}>
					{isCopied.value ? 'Copied' : 'Copy'}
				</button>
			</p>
			<pre tabIndex={0}>{text}</pre>
		</>
	);
}
