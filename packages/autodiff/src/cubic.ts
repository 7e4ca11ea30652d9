/**
 * Cubic convolution (Keys 1981) between the second and the third of four neighbours: the weight of each as a polynomial of the distance t from the second, by its
 * coefficients from t⁰ to t³. `a` is the slope parameter, −0.75 in ONNX.
 */
export const cubicWeights = (a: number): number[][] => [
	[0, a, -2 * a, a],
	[1, 0, -(a + 3), a + 2],
	[0, -a, 2 * a + 3, -(a + 2)],
	[0, 0, a, -a],
];
