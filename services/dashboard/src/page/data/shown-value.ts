/** The numbers of a list, also of nested lists, in their order; stops after `most`. What is no number is left out. */
export function numbersIn(value: unknown, most: number): number[] {
	const numbers: number[] = [];
	const visit = (part: unknown): void => {
		if (numbers.length >= most) return;
		if (typeof part === 'number') numbers.push(part);
		else if (Array.isArray(part)) for (const one of part) visit(one);
	};
	visit(value);
	return numbers;
}

/** The lengths of nested lists along their first entries: `[8, 3]`. */
export function listShape(value: unknown): number[] {
	const shape: number[] = [];
	for (let part = value; Array.isArray(part); part = part.find((one) => one !== null)) shape.push(part.length);
	return shape;
}

const shortNumber = (_: string, part: unknown): unknown =>
	typeof part === 'number' && !Number.isInteger(part) ? Number(part.toPrecision(4)) : part;

/** A value as a cell of a table shows it, cut after `most` characters, the numbers of lists to four digits; null where nothing is there. */
export function cellText(value: unknown, most = 120): string | null {
	if (value === null || value === undefined || value === '') return null;
	const text = typeof value === 'string' ? value : Array.isArray(value) ? JSON.stringify(value, shortNumber) : JSON.stringify(value);
	return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
