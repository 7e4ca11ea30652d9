import { type ReadonlySignal, signal, useSignalEffect } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import { useMemo } from 'preact/hooks';

/** What is known of something that is being fetched. `again` fetches it once more. */
export type Loading<T> = { readonly value: T | null; readonly error: Error | null; readonly isLoading: boolean };

/** Whether the service refused a request for want of a valid key. */
export const wantsKey = (error: unknown): boolean => error instanceof SteelyardError && error.code === 'unauthorized';

/**
 * Fetches something when a component is shown, and again whenever a signal that `load` reads before its first `await` changes, or `again` is called. What came
 * before stays until the next has come. A fetch whose answer is not wanted any more is aborted.
 */
export function useLoading<T>(load: (signal: AbortSignal) => Promise<T>): ReadonlySignal<Loading<T>> & { again(): void } {
	const { state, turn } = useMemo(
		() => ({ state: signal<Loading<T>>({ value: null, error: null, isLoading: true }), turn: signal(0) }),
		[],
	);
	useSignalEffect(() => {
		void turn.value;
		const left = new AbortController();
		state.value = { ...state.peek(), isLoading: true };
		load(left.signal).then(
			(value) => {
				if (!left.signal.aborted) state.value = { value, error: null, isLoading: false };
			},
			(error: Error) => {
				if (!left.signal.aborted) state.value = { ...state.peek(), error, isLoading: false };
			},
		);
		return () => left.abort();
	});
	return useMemo(() => Object.assign(state, { again: () => void turn.value++ }), []);
}
