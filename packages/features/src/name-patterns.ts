/** Whether a name fits a pattern, in which each * stands for any characters. Takes time in proportion to the name times the stars. */
export function fits(pattern: string, name: string): boolean {
	const [first = '', ...parts] = pattern.split('*');
	if (parts.length === 0) return pattern === name;
	const last = parts.pop() as string;
	if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
	let at = first.length;
	for (const part of parts) {
		const found = name.indexOf(part, at);
		if (found < 0 || found + part.length > name.length - last.length) return false;
		at = found + part.length;
	}
	return true;
}
