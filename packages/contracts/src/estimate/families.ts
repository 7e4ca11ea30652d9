import type { ModelConfig } from '../families/families.js';
import type { FuseMoeConfig } from '../families/fuse-moe.js';
import type { MlpFusionConfig } from '../families/mlp-fusion.js';
import type { MmimMoeConfig } from '../families/mmim-moe.js';
import { tensorWidth } from '../families/tensor-width.js';
import { tokenWidth } from '../families/token-width.js';
import { attentionSize, expertsSize, linearSize, type ModelSize, normSize, perceptronSize, repeated, sequenceSize, sumOf } from './size.js';

/** A modality that a model takes, by its name and the shape of an instance. */
export type ModalitySize = { readonly name: string; readonly shape: readonly number[]; readonly tokens?: number | undefined };

const numbersOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);
const same = (count: number, width: number): number[] => new Array<number>(count).fill(width);

/** What the statistics of a sequence have for each of its features. */
const STATISTICS = 4;

function mlpEncoder({ hidden, encoder_layers, pooling }: MlpFusionConfig, { shape }: ModalitySize): ModelSize {
	const [steps = 1, features = 1] = shape;
	const widths = same(encoder_layers, hidden);
	if (shape.length !== 2) return perceptronSize([numbersOf(shape), ...widths]);
	if (pooling === 'statistics') return perceptronSize([STATISTICS * features, ...widths]);
	return sumOf([perceptronSize([features, ...widths], steps), linearSize(hidden, 1, { times: steps, bias: false })]);
}

function mlpFusionSize(config: MlpFusionConfig, modalities: readonly ModalitySize[], outputs: number): ModelSize {
	const { hidden, head_layers, fusion = 'concatenation', rank = 4 } = config;
	const count = modalities.length;
	const head = (width: number): ModelSize => perceptronSize([width, ...same(head_layers - 1, hidden), outputs]);
	const matrix = (inputs: number, width: number): ModelSize => linearSize(inputs, width, { bias: false });
	const joined = (): readonly ModelSize[] => {
		switch (fusion) {
			case 'concatenation':
				return [head(hidden * count)];
			case 'tensor': {
				const width = tensorWidth(config.tensor_width, count);
				const size = (width + 1) ** count;
				return [repeated(count, matrix(hidden, width)), { parameters: 0, numbers: 2 * size, work: size }, head(size)];
			}
			case 'low-rank-tensor':
				return [
					repeated(count, linearSize(hidden, rank * hidden)),
					{ parameters: rank + hidden, numbers: rank * hidden, work: rank * hidden },
					head(hidden),
				];
			case 'gated':
				return [repeated(count, matrix(hidden, hidden)), matrix(hidden * count, hidden * count), head(hidden)];
			case 'cross-attention': {
				if (count === 1) return [head(hidden)];
				const output = linearSize(hidden, hidden, { times: count, bias: false });
				return [repeated(3 * count, matrix(hidden, hidden)), output, head(hidden * count)];
			}
			case 'late-average':
				return [repeated(count, head(hidden))];
		}
	};
	return sumOf([...modalities.map((modality) => mlpEncoder(config, modality)), ...joined()]);
}

function mmimEncoder({ width, sequence }: MmimMoeConfig, { shape }: ModalitySize): ModelSize {
	const [steps = 1] = shape;
	const features = shape.at(-1) as number;
	if (shape.length !== 2) return perceptronSize([features, width, width]);
	return sumOf([
		sequenceSize(features, sequence, steps),
		perceptronSize([sequence.hidden * (sequence.bidirectional ? 2 : 1), width, width]),
	]);
}

function mmimMoeSize(config: MmimMoeConfig, modalities: readonly ModalitySize[], outputs: number): ModelSize {
	const { width, layers, block } = config;
	const tokens = modalities.length;
	const layer = sumOf([
		block === 'attention'
			? attentionSize(width, { queries: tokens, keys: tokens, heads: 1 })
			: linearSize(3 * width, width, { times: tokens }),
		repeated(2, normSize(width, tokens)),
		expertsSize(config, { width, tokens, modalities: tokens }),
		perceptronSize([width, 4 * width, width], tokens),
	]);
	return sumOf([
		...modalities.map((modality) => mmimEncoder(config, modality)),
		repeated(layers, layer),
		perceptronSize([width * tokens, width, width, outputs]),
	]);
}

function fuseEncoder(config: FuseMoeConfig, { name, shape }: ModalitySize): ModelSize {
	const { width, heads, tokens, time_width: time, sequence_encoder: cell, bidirectional, hidden } = config;
	const [steps = 1] = shape;
	const features = shape.at(-1) as number;
	if (shape.length !== 2) return perceptronSize([features, width, width]);
	if (cell !== 'mtand')
		return sumOf([
			sequenceSize(features, { cell, bidirectional, hidden }, steps),
			linearSize(hidden * (bidirectional ? 2 : 1), tokens * width),
		]);
	const values = Object.hasOwn(config.time_columns, name) ? features - 1 : features;
	return sumOf([
		linearSize(1, time, { times: steps }),
		repeated(2, linearSize(time, time, { times: steps })),
		{ parameters: 0, numbers: 3 * heads * tokens * steps, work: (time + heads * values) * tokens * steps },
		linearSize(heads * values, width, { times: tokens }),
	]);
}

function fuseMoeSize(config: FuseMoeConfig, modalities: readonly ModalitySize[], outputs: number): ModelSize {
	const { width, heads, layers } = config;
	const count = modalities.length;
	const tokensOf = ({ shape }: ModalitySize): number => (shape.length === 2 ? config.tokens : 1);
	const tokens = modalities.reduce((sum, modality) => sum + tokensOf(modality), 0);
	const looks = modalities.flatMap((modality) => {
		const own = tokensOf(modality);
		const to = (keys: number): ModelSize[] => [normSize(width, own), attentionSize(width, { queries: own, keys, heads })];
		return [...to(own), ...(count === 1 ? [] : to(tokens - own))];
	});
	const norms = sumOf(modalities.map((modality) => normSize(width, tokensOf(modality))));
	return sumOf([
		...modalities.map((modality) => fuseEncoder(config, modality)),
		{ parameters: tokens * width, numbers: tokens * width, work: 0 },
		repeated(layers, sumOf([...looks, norms, expertsSize(config, { width, tokens, modalities: count })])),
		norms,
		perceptronSize([count * width, width, outputs]),
	]);
}

/** The vectors of the tokens of a modality, of which a row looks up one for each of its numbers. */
const tableSize = ({ shape: [looked = 0], tokens = 0 }: ModalitySize, width: number): ModelSize => ({
	parameters: tokens * width,
	numbers: looked * width,
	work: looked * width,
});

/** The size of a model of a built-in family over these modalities, with so many outputs; null for an uploaded graph. */
export function familySize(config: ModelConfig, modalities: readonly ModalitySize[], outputs: number): ModelSize | null {
	const ofTokens = modalities.filter(({ tokens }) => tokens !== undefined);
	if (config.family === 'custom' || ofTokens.length === 0) return encodedSize(config, modalities, outputs);
	const width = tokenWidth(config);
	const encoded = modalities.map(({ name, shape, tokens }) => ({ name, shape: tokens === undefined ? shape : [width] }));
	return sumOf([encodedSize(config, encoded, outputs) as ModelSize, ...ofTokens.map((modality) => tableSize(modality, width))]);
}

/** The size of what reads vectors and sequences of numbers. */
function encodedSize(config: ModelConfig, modalities: readonly ModalitySize[], outputs: number): ModelSize | null {
	switch (config.family) {
		case 'mlp-fusion':
			return mlpFusionSize(config, modalities, outputs);
		case 'mmim-moe':
			return mmimMoeSize(config, modalities, outputs);
		case 'fuse-moe':
			return fuseMoeSize(config, modalities, outputs);
		case 'custom':
			return null;
	}
}
