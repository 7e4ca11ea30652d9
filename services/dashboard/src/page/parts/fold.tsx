import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** What can be opened, and opens by itself where something in it must be seen. */
export function Fold({ title, mustOpen, children }: { title: string; mustOpen: boolean; children: ComponentChildren }): VNode {
	const fold = useRef<HTMLDetailsElement>(null);
	useEffect(() => {
		if (mustOpen && fold.current !== null) fold.current.open = true;
	}, [mustOpen]);
	return (
		<details ref={fold} class="fold">
			<summary>{title}</summary>
			{children}
		</details>
	);
}
