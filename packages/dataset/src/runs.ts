/** Calls `visit(row, count, at)` for each run of consecutive rows, which begins at place `at` of `rows`. */
export function eachRun(rows: ArrayLike<number>, visit: (row: number, count: number, at: number) => void): void {
	for (let at = 0; at < rows.length; ) {
		const row = rows[at] as number;
		let count = 1;
		while (at + count < rows.length && rows[at + count] === row + count) count++;
		visit(row, count, at);
		at += count;
	}
}
