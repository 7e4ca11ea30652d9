/**
 * Cubic convolution (Keys 1981) between the second and third of four neighbours: the weight of each as a polynomial of the way t from the second, its
 * coefficients from t⁰ to t³. `a` is the slope parameter, −0.75 in ONNX.
 */
export const cubicWeights = (a: number): number[][] => [
	[0, a, -2 * a, a],
	[1, 0, -(a + 3), a + 2],
	[0, -a, 2 * a + 3, -(a + 2)],
	[0, 0, a, -a],
];
