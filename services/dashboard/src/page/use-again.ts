import type { ReadonlySignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Loading, wantsKey } from './loading.js';

/** Fetches something again every so many milliseconds while the page is seen, but not where a key is wanted first. */
export function useAgain<T>(loading: ReadonlySignal<Loading<T>> & { again(): void }, every: number): void {
	useEffect(() => {
		const timer = setInterval(() => {
			const { isLoading, error } = loading.peek();
			if (!isLoading && !document.hidden && !wantsKey(error)) loading.again();
		}, every);
		return () => clearInterval(timer);
	}, []);
}
