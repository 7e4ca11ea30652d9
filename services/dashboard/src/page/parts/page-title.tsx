import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';

/** The heading of a page, which the tab shows too, with what can be done there beside it. */
export function PageTitle({ title, above, children }: { title: string; above?: ComponentChildren; children?: ComponentChildren }): VNode {
	useEffect(() => {
		document.title = `${title} · Steelyard`;
	}, [title]);
	return (
		<div class="page-title">
			<div>
				{above !== undefined && <p class="above">{above}</p>}
				<h1>{title}</h1>
			</div>
			{children !== undefined && <div class="actions">{children}</div>}
		</div>
	);
}
