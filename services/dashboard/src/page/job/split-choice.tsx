import type { VNode } from 'preact';
import { place, setQuery } from '../router.js';

/** The split that the address names, else the test, else validation, else the first. */
export function splitIn(splits: readonly string[]): string | null {
	const asked = place.value.query.get('split');
	return [asked, 'test', 'validation', 'valid', splits[0]].find((one) => one !== null && one !== undefined && splits.includes(one)) ?? null;
}

/** Lets the user choose the split that is shown. */
export function SplitChoice({ splits }: { splits: readonly string[] }): VNode {
	return (
		<p>
			<label>
				Split{' '}
				<select value={splitIn(splits) ?? ''} onChange={(event) => setQuery({ split: event.currentTarget.value })}>
					{splits.map((split) => (
						<option key={split} value={split}>
							{split}
						</option>
					))}
				</select>
			</label>
		</p>
	);
}
