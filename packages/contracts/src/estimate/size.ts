/** How large a model is: its trained numbers, the numbers that a forward pass makes of one row, and the multiply-adds that it costs. */
export type ModelSize = { readonly parameters: number; readonly numbers: number; readonly work: number };

/** What several parts come to together. */
export const sumOf = (parts: readonly ModelSize[]): ModelSize =>
	parts.reduce(
		(sum, { parameters, numbers, work }) => ({
			parameters: sum.parameters + parameters,
			numbers: sum.numbers + numbers,
			work: sum.work + work,
		}),
		{ parameters: 0, numbers: 0, work: 0 },
	);

/** A part `count` times. */
export const repeated = (count: number, { parameters, numbers, work }: ModelSize): ModelSize => ({
	parameters: count * parameters,
	numbers: count * numbers,
	work: count * work,
});

/** A linear layer with what follows it, such as a ReLU, over `times` vectors of a row. */
export const linearSize = (inputs: number, outputs: number, { times = 1, bias = true } = {}): ModelSize => ({
	parameters: inputs * outputs + (bias ? outputs : 0),
	numbers: 2 * outputs * times,
	work: inputs * outputs * times,
});

/** Linear layers that lead from one width to the next. */
export const perceptronSize = (widths: readonly number[], times = 1): ModelSize =>
	sumOf(widths.slice(1).map((width, i) => linearSize(widths[i] as number, width, { times })));

/** The norm of `times` vectors of a row. */
export const normSize = (width: number, times: number): ModelSize => ({
	parameters: 2 * width,
	numbers: width * times,
	work: width * times,
});

/** Attention with `heads` of `queries` vectors of a row to `keys` others. */
export const attentionSize = (width: number, { queries, keys, heads }: { queries: number; keys: number; heads: number }): ModelSize =>
	sumOf([
		repeated(2, linearSize(width, width, { times: queries })),
		repeated(2, linearSize(width, width, { times: keys })),
		{ parameters: 0, numbers: 3 * heads * queries * keys, work: 2 * width * queries * keys },
	]);

/** A recurrent cell in one direction or two, over `steps`. */
export function sequenceSize(
	features: number,
	{ cell, bidirectional, hidden }: { cell: 'lstm' | 'gru'; bidirectional: boolean; hidden: number },
	steps: number,
): ModelSize {
	const gates = (cell === 'lstm' ? 4 : 3) * hidden;
	return repeated(bidirectional ? 2 : 1, {
		parameters: (features + hidden + (cell === 'lstm' ? 1 : 2)) * gates,
		numbers: 4 * gates * steps,
		work: (features + hidden) * gates * steps,
	});
}

/** The fields of a config that describe a sparse mixture of experts. */
export type ExpertFields = {
	readonly experts: number;
	readonly top_k: number;
	readonly expert_hidden: number;
	readonly router: 'joint' | 'permod' | 'disjoint';
	readonly noisy: boolean;
};

/** The routers and experts of a layer, of `tokens` vectors of a row, of `modalities` modalities. */
export function expertsSize(
	{ experts, top_k, expert_hidden, router, noisy }: ExpertFields,
	{ width, tokens, modalities }: { width: number; tokens: number; modalities: number },
): ModelSize {
	const routers = router === 'joint' ? 1 : modalities;
	const expert = perceptronSize([width, expert_hidden, width]);
	return sumOf([
		{
			parameters: routers * (noisy ? 2 : 1) * width * experts,
			numbers: 8 * experts * tokens + width * top_k * tokens,
			work: 2 * width * experts * tokens,
		},
		{
			parameters: (router === 'disjoint' ? modalities : 1) * experts * expert.parameters,
			numbers: 2 * top_k * tokens * expert.numbers,
			work: top_k * tokens * expert.work,
		},
	]);
}
