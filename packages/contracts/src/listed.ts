/** How many names a message lists; more would hide what it says. */
const MOST = 10;

/** Names as a message lists them: the first ten, and how many more there are. */
export function listed(names: readonly string[]): string {
	if (names.length === 0) return 'none';
	return names.length > MOST ? `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more` : names.join(', ');
}
