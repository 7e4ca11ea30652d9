import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';

/** A manifest as JSON, which can be copied. */
export function ManifestView({ manifest, isOpen = false }: { manifest: unknown; isOpen?: boolean }): VNode {
	const said = useSignal('');
	const text = JSON.stringify(manifest, null, '\t');
	return (
		<details open={isOpen} class="fold">
			<summary>Manifest as JSON</summary>
			<pre class="manifest" tabIndex={0} role="region" aria-label="Manifest as JSON">
				{text}
			</pre>
			<p class="actions">
				<button
					type="button"
					onClick={() => {
						const clipboard = navigator.clipboard as Clipboard | undefined;
						const copied = clipboard === undefined ? Promise.reject(new Error()) : clipboard.writeText(text);
						copied.then(
							() => {
								said.value = '✓ copied';
							},
							() => {
								said.value = 'The browser does not let the page copy here. Mark the text and copy it yourself.';
							},
						);
					}}
				>
					Copy
				</button>
				<span role="status" class="quiet">
					{said.value}
				</span>
			</p>
		</details>
	);
}
