import { effect, signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = 'steelyard.theme';
const isTheme = (text: string | null): text is Theme => THEMES.includes(text as Theme);

const kept = localStorage.getItem(KEPT);
/** Which colours the page has; `system` is what the browser prefers. */
export const theme = signal<Theme>(isTheme(kept) ? kept : 'system');

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(prefersDark.matches);
prefersDark.addEventListener('change', () => {
	systemIsDark.value = prefersDark.matches;
});

/** Whether the page is dark now. Pictures on a canvas are drawn anew when it changes. */
export const isDark = (): boolean => theme.value === 'dark' || (theme.value === 'system' && systemIsDark.value);

effect(() => {
	localStorage.setItem(KEPT, theme.value);
	document.documentElement.dataset['theme'] = theme.value;
});
