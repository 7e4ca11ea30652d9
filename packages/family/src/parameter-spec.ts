/** How the numbers of a parameter begin: U(−uniform, uniform), N(0, normal²), or all alike. */
export type Initialisation = { readonly uniform: number } | { readonly normal: number } | { readonly constant: number };

/**
 * What a parameter is multiplied with in a forward pass, by which a family counts the work of the pass: every row of the batch; every step of the sequence of
 * its modality; every token (embedding) of a layer; the tokens that are routed to its expert; or, in cross attention, the tokens of all other modalities.
 */
export type Meets = 'row' | 'step' | 'token' | 'routed token' | 'foreign token';

/** A parameter of a model: float32, trained by gradients. */
export type ParameterSpec = {
	readonly name: string;
	readonly shape: readonly number[];
	readonly initial: Initialisation;
	/** The modality to whose encoder it belongs; null for a parameter of no encoder. */
	readonly encoder: string | null;
	readonly meets: Meets;
	/** Whether its products are computed in float32 whatever the precision of training is. */
	readonly exact?: true;
};

/** A parameter of no encoder that meets every row. */
export const parameterSpec = (name: string, shape: readonly number[], initial: Initialisation): ParameterSpec => ({
	name,
	shape,
	initial,
	encoder: null,
	meets: 'row',
});

/** The parameters as parts of the encoder of a modality. */
export const ofEncoder = (modality: string, parameters: readonly ParameterSpec[]): ParameterSpec[] =>
	parameters.map((parameter) => ({ ...parameter, encoder: modality }));

/** The parameters with something else that they meet. */
export const meeting = (meets: Meets, parameters: readonly ParameterSpec[]): ParameterSpec[] =>
	parameters.map((parameter) => ({ ...parameter, meets }));

/** The parameters, of whose products small differences matter, as those that are computed in float32 whatever the precision of training is. */
export const exactly = (parameters: readonly ParameterSpec[]): ParameterSpec[] =>
	parameters.map((parameter) => ({ ...parameter, exact: true }));

/** Multiply-adds of a pass in which each number of a parameter is used as often as `times` says. */
export const multiplyAdds = (parameters: readonly ParameterSpec[], times: (parameter: ParameterSpec) => number): number =>
	parameters.reduce((sum, parameter) => sum + parameter.shape.reduce((size, dim) => size * dim, 1) * times(parameter), 0);
