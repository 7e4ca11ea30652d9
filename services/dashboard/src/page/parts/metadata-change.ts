/** An entry of metadata as it is being edited. */
export type Entry = { readonly key: string; readonly text: string };

/** Entries to set, and with null entries to remove, that make of `before` what was edited; or what is wrong with that. Entries without key and text count as none. */
export function metadataChange(
	before: Readonly<Record<string, string>>,
	edited: readonly Entry[],
): { change: Record<string, string | null> } | { problem: string; at: number } {
	const after = new Map<string, string>();
	for (const [at, { key, text }] of edited.entries()) {
		const name = key.trim();
		if (name === '' && text.trim() === '') continue;
		if (name === '') return { problem: 'This text needs a name.', at };
		if (after.has(name)) return { problem: `${name} is there twice.`, at };
		after.set(name, text);
	}
	const removed = Object.keys(before).filter((key) => !after.has(key));
	const set = [...after].filter(([key, text]) => !Object.hasOwn(before, key) || before[key] !== text);
	return { change: Object.fromEntries([...removed.map((key) => [key, null] as const), ...set]) };
}
