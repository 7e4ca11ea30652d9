import type { VNode } from 'preact';
import { CopyButton } from '../parts/copy-button.js';

/** A manifest as JSON, which can be copied. */
export function ManifestView({ manifest, isOpen = false }: { manifest: unknown; isOpen?: boolean }): VNode {
	const text = JSON.stringify(manifest, null, '\t');
	return (
		<details open={isOpen} class="fold">
			<summary>Manifest as JSON</summary>
			<pre class="manifest" tabIndex={0} role="region" aria-label="Manifest as JSON">
				{text}
			</pre>
			<p class="actions">
				<CopyButton text={text} what="the manifest" />
			</p>
		</details>
	);
}
