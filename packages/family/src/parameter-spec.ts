/** How the numbers of a parameter begin: U(−uniform, uniform), N(0, normal²), or all alike. */
export type Initialisation = { readonly uniform: number } | { readonly normal: number } | { readonly constant: number };

/** A parameter of a model: float32, trained by gradients. */
export type ParameterSpec = { readonly name: string; readonly shape: readonly number[]; readonly initial: Initialisation };
