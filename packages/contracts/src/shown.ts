/** A value as a message shows it: as JSON, whose end is cut off where it is long. */
export function shown(value: unknown): string {
	const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 100) : value) ?? 'nothing';
	return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
