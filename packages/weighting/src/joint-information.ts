/** Mutual information in nats of a joint distribution `[rows, columns]` that sums to 1, at least 0. */
export function informationOfJoint(joint: ArrayLike<number>, rows: number, columns: number): number {
	const byRow = new Float64Array(rows);
	const byColumn = new Float64Array(columns);
	for (let r = 0; r < rows; r++) {
		for (let c = 0; c < columns; c++) {
			byRow[r]! += joint[r * columns + c]!;
			byColumn[c]! += joint[r * columns + c]!;
		}
	}
	let sum = 0;
	for (let r = 0; r < rows; r++) {
		for (let c = 0; c < columns; c++) {
			const together = joint[r * columns + c]!;
			if (together > 0) sum += together * Math.log(together / (byRow[r]! * byColumn[c]!));
		}
	}
	return Math.max(0, sum);
}
