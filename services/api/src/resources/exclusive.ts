/** Runs the actions of one key one after another. Actions of different keys run side by side. */
export type Exclusive = <T>(key: string, action: () => Promise<T>) => Promise<T>;

/** Makes a runner that knows of no action yet. */
export function createExclusive(): Exclusive {
	const last = new Map<string, Promise<unknown>>();
	return (key, action) => {
		const mine = (last.get(key) ?? Promise.resolve()).then(action, action);
		last.set(key, mine);
		const forget = () => {
			if (last.get(key) === mine) last.delete(key);
		};
		mine.then(forget, forget);
		return mine;
	};
}
