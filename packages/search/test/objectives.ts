/** The function of Branin, whose least value is 0.397887; −5 ≤ x ≤ 10, 0 ≤ y ≤ 15. */
export const branin = (x: number, y: number): number =>
	(y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;

const A = [
	[10, 3, 17, 3.5, 1.7, 8],
	[0.05, 10, 17, 0.1, 8, 14],
	[3, 3.5, 1.7, 10, 17, 8],
	[17, 8, 0.05, 10, 0.1, 14],
];
const P = [
	[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
	[0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
	[0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
	[0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];
const ALPHA = [1, 1.2, 3, 3.2];

/** The function of Hartmann in six dimensions, 0 to 1 each, whose least value is −3.32237. */
export const hartmann = (point: readonly number[]): number =>
	-ALPHA.reduce((sum, alpha, i) => sum + alpha * Math.exp(-point.reduce((far, x, d) => far + A[i]![d]! * (x - P[i]![d]!) ** 2, 0)), 0);
