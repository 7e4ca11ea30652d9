/**
 * The probability that |t| < √ν·tan(θ) under Student's t distribution with ν degrees of freedom, an integer of at least 1, for 0 ≤ θ < π/2: a finite sum
 * (Abramowitz and Stegun 26.7.3 and 26.7.4).
 */
function centralMass(theta: number, degrees: number): number {
	const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
	const isOdd = degrees % 2 === 1;
	let term = isOdd ? sin * cos : sin;
	let sum = isOdd && degrees === 1 ? 0 : term;
	for (let i = isOdd ? 3 : 2; i <= degrees - 2; i += 2) {
		term *= (cos * cos * (i - 1)) / i;
		sum += term;
	}
	return isOdd ? (2 / Math.PI) * (theta + sum) : sum;
}

/** Halvings after which float64 can tell no closer. */
const HALVINGS = 60;

/**
 * The t within which, on both sides of 0, `mass` of Student's t distribution lies, as 12.706 for 0.95 and one degree of freedom.
 *
 * @param mass above 0 and below 1
 * @param degrees an integer of at least 1
 */
export function studentT(mass: number, degrees: number): number {
	let [low, high] = [0, Math.PI / 2];
	for (let i = 0; i < HALVINGS; i++) {
		const middle = (low + high) / 2;
		if (centralMass(middle, degrees) < mass) low = middle;
		else high = middle;
	}
	return Math.sqrt(degrees) * Math.tan(low);
}
