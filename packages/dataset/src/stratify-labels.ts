/**
 * Which units of rows to take so that a `share` (in (0, 1)) of all rows, and of the rows of each label, is taken: 1 or 0 a unit. `units` come in the order in
 * which they are looked at, `flags` are `[rows, labels]` of 0 and 1. At least one unit is taken and one is not, given two; a label keeps a row that is not
 * taken wherever units allow it.
 *
 * Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011): labels from the rarest on, each unit that has the label goes where most rows of that label
 * are still wanted, among equals where most rows are, and stays where that does not decide either; units without labels come last. The order of the labels is
 * that of their rows at the start, where the paper counts them again after each label.
 */
export function stratifyByLabels(units: readonly (readonly number[])[], flags: Float32Array, labels: number, share: number): Uint8Array {
	const taken = new Uint8Array(units.length);
	const decided = new Uint8Array(units.length);
	const labelsOf = units.map((unit) => labelsOfRows(unit, flags, labels)); // a label is named once a row that has it
	const unitsWith: number[][] = Array.from({ length: labels }, () => []);
	const left = new Float64Array(labels); // rows of a label that are not taken
	labelsOf.forEach((names, u) => {
		for (const label of new Set(names)) unitsWith[label]?.push(u);
		for (const label of names) left[label] = (left[label] as number) + 1;
	});
	const rows = units.reduce((sum, unit) => sum + unit.length, 0);
	const wanted = { take: left.map((count) => count * share), stay: left.map((count) => count * (1 - share)) };
	const room = { take: rows * share, stay: rows * (1 - share) };

	const isLastHome = (u: number): boolean => {
		const names = labelsOf[u] as number[];
		for (const label of names) left[label] = (left[label] as number) - 1;
		const emptied = names.some((label) => left[label] === 0);
		for (const label of names) left[label] = (left[label] as number) + 1;
		return emptied;
	};
	const decide = (u: number, more: number): void => {
		decided[u] = 1;
		const take = (more !== 0 ? more > 0 : room.take > room.stay) && !isLastHome(u);
		const side = take ? 'take' : 'stay';
		room[side] -= (units[u] as readonly number[]).length;
		for (const label of labelsOf[u] as number[]) {
			wanted[side][label] = (wanted[side][label] as number) - 1;
			if (take) left[label] = (left[label] as number) - 1;
		}
		if (take) taken[u] = 1;
	};

	const order = Array.from(left, (_, label) => label).sort((a, b) => (left[a] as number) - (left[b] as number));
	for (const label of order)
		for (const u of unitsWith[label] as number[])
			if (decided[u] === 0) decide(u, (wanted.take[label] as number) - (wanted.stay[label] as number));
	units.forEach((_, u) => {
		if (decided[u] === 0) decide(u, 0);
	});

	const smallest = (some: readonly number[]): number | undefined =>
		some.length === 0 ? undefined : some.reduce((a, b) => ((units[b]?.length ?? 0) < (units[a]?.length ?? 0) ? b : a));
	const all = units.map((_, u) => u);
	if (!taken.includes(1)) taken[smallest(all.filter((u) => !isLastHome(u))) ?? smallest(all) ?? 0] = 1;
	else if (!taken.includes(0)) taken[smallest(all) ?? 0] = 0;
	return taken;
}

function labelsOfRows(rows: readonly number[], flags: Float32Array, labels: number): number[] {
	const names: number[] = [];
	for (const row of rows) for (let label = 0; label < labels; label++) if (flags[row * labels + label] === 1) names.push(label);
	return names;
}
