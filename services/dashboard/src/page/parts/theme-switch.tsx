import type { VNode } from 'preact';
import { hasKey } from '../session.js';
import { THEMES, type Theme, theme } from '../theme.js';
import { askForKey } from './key-dialog.js';

/** Which colours the page has, and which key it uses. */
export function ThemeSwitch(): VNode {
	return (
		<div class="top-end">
			<button type="button" class="quiet-button" onClick={askForKey}>
				{hasKey.value ? 'Key ✓' : 'Key'}
			</button>
			<label>
				<span class="unseen">Theme</span>
				<select
					value={theme.value}
					onChange={(event) => {
						theme.value = event.currentTarget.value as Theme;
					}}
				>
					{THEMES.map((one) => (
						<option key={one} value={one}>
							{one}
						</option>
					))}
				</select>
			</label>
		</div>
	);
}
