import type { ComponentChildren, VNode } from 'preact';
import { Fragment } from 'preact';

/** What is known, name by name. A row of null is left out. */
export type Fact = readonly [name: string, value: ComponentChildren] | null;

/** A list of names with what is known of each. */
export function Facts({ rows }: { rows: readonly Fact[] }): VNode {
	return (
		<dl class="facts">
			{rows.map(
				(row) =>
					row !== null && (
						<Fragment key={row[0]}>
							<dt>{row[0]}</dt>
							<dd>{row[1]}</dd>
						</Fragment>
					),
			)}
		</dl>
	);
}
