import { signal } from '@preact/signals';

/** Whether somebody sees the page. Browsers hold few connections to a host, so what nobody sees holds none. */
export const isVisible = signal(!document.hidden);
document.addEventListener('visibilitychange', () => {
	isVisible.value = !document.hidden;
});
