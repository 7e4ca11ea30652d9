/** The labels of some rows, by flags `[rows, labels]` of 0 and 1; each label once per row that has it. */
export function labelsOfRows(rows: readonly number[], flags: ArrayLike<number>, labels: number): number[] {
	const names: number[] = [];
	for (const row of rows) for (let label = 0; label < labels; label++) if (flags[row * labels + label] === 1) names.push(label);
	return names;
}

/**
 * Divides units of rows into parts so that each part gets its share (they add up to 1) of all rows, and of the rows of each label. Gives the part of each unit, an index
 * of `shares`. Units are looked at in their order; `flags` are `[rows, labels]` of 0 and 1.
 *
 * Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011): beginning with the rarest label, each unit that has the label goes to the part that still needs the
 * most rows of that label, among equals to the one that needs the most rows, then to the first. Units without labels come last. The labels are ordered by their rows
 * once, at the beginning, where the paper counts again after each label.
 */
export function stratifyByLabels(
	units: readonly (readonly number[])[],
	flags: ArrayLike<number>,
	labels: number,
	shares: readonly number[],
): Uint8Array {
	const part = new Uint8Array(units.length);
	const decided = new Uint8Array(units.length);
	const labelsOf = units.map((unit) => labelsOfRows(unit, flags, labels));
	const unitsWith: number[][] = Array.from({ length: labels }, () => []);
	const rowsWith = new Float64Array(labels);
	labelsOf.forEach((names, u) => {
		for (const label of new Set(names)) unitsWith[label]?.push(u);
		for (const label of names) rowsWith[label] = (rowsWith[label] as number) + 1;
	});
	const rows = units.reduce((sum, unit) => sum + unit.length, 0);
	const parts = shares.map((share) => ({ wanted: rowsWith.map((count) => count * share), room: rows * share }));

	const decide = (u: number, label: number | null): void => {
		const wants = ({ wanted, room }: (typeof parts)[number]): number => (label === null ? room : (wanted[label] as number));
		const best = parts.reduce((a, b) => (wants(b) > wants(a) || (wants(b) === wants(a) && b.room > a.room) ? b : a));
		best.room -= (units[u] as readonly number[]).length;
		for (const name of labelsOf[u] as number[]) best.wanted[name] = (best.wanted[name] as number) - 1;
		part[u] = parts.indexOf(best);
		decided[u] = 1;
	};
	const order = Array.from(rowsWith, (_, label) => label).sort((a, b) => (rowsWith[a] as number) - (rowsWith[b] as number));
	for (const label of order) for (const u of unitsWith[label] as number[]) if (decided[u] === 0) decide(u, label);
	units.forEach((_, u) => {
		if (decided[u] === 0) decide(u, null);
	});
	return part;
}
