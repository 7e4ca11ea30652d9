// The work that the engine is measured by. Each row is one model in one training step: Steelyard and every peer train it from the same numbers on the same data.
const sequences = { text: [30, 64], audio: [30, 32], static: [16] };

/** mlp-fusion of three modalities. */
const fusion = (batch, width, chunk) => ({
	name: `mlp-fusion ${batch},${width}`,
	title: `mlp-fusion, 3 modalities, batch ${batch}, width ${width}`,
	family: { family: 'mlp-fusion', hidden: width, encoder_layers: 2, head_layers: 2 },
	shapes: { a: [768], b: [64], c: [64] },
	...{ model: 'fusion', options: { modalities: ['a', 'b', 'c'] } },
	...{ batch, chunk, classes: 3 },
});

/**
 * Dropout and the noise of routers are off: two programs that draw numbers of their own could not be compared. The rate of learning of these rows is small, since rounding
 * alone sends a token that lies between two experts one way or the other, the sooner the more the parameters move.
 */
const experts = { router: 'permod', gate: 'laplace', noisy: false, experts: 16, top_k: 2, balance: 0.01, dropout: 0 };

const transformer = (layers, chunk) => ({
	name: `transformer ${layers}`,
	title: `transformer, ${layers} layers, width 128, 4 heads, 64 tokens, batch 16`,
	graph: { kind: 'transformer', layers },
	...{ model: 'transformer', options: { layers, heads: 4 } },
	...{ batch: 16, chunk, classes: 10 },
});

/**
 * `name` selects a row; `chunk` is the number of steps that a process takes at a time. `family` and `shapes` describe a built-in family, `graph` a custom model of
 * graphs/; `rate` is the learning rate. `model` and `options` name the same in peers/torch_models.py and peers/jax_models.py. `variants` are other ways of ours to train the row.
 */
export const rows = [
	fusion(32, 128, 200),
	fusion(128, 128, 50),
	fusion(512, 128, 20),
	fusion(32, 512, 50),
	fusion(128, 512, 20),
	{
		name: 'mmim-moe',
		title: 'mmim-moe, 2 sequences of 30 steps and a vector, 2 layers, 16 experts, batch 32, dropout and noise off',
		family: {
			...{ family: 'mmim-moe', width: 128, layers: 2, block: 'attention', expert_hidden: 768, ...experts },
			sequence: { cell: 'lstm', bidirectional: true, hidden: 64 },
		},
		shapes: sequences,
		...{ model: 'mmim_moe', options: { modalities: Object.keys(sequences), layers: 2, ...experts } },
		...{ batch: 32, chunk: 10, classes: 3, rate: 1e-4 },
	},
	{
		name: 'fuse-moe',
		title: 'fuse-moe, 2 sequences of 30 steps and a vector, 2 layers, 16 experts, batch 32, dropout and noise off',
		family: {
			...{ family: 'fuse-moe', width: 128, heads: 4, layers: 2, tokens: 4, sequence_encoder: 'mtand', time_width: 64, time_columns: {} },
			...{ bidirectional: true, hidden: 64, expert_hidden: 512, ...experts },
		},
		shapes: sequences,
		...{ model: 'fuse_moe', options: { modalities: Object.keys(sequences), layers: 2, heads: 4, tokens: 4, ...experts } },
		...{ batch: 32, chunk: 10, classes: 3, rate: 1e-4 },
	},
	{
		name: 'lstm',
		title: 'LSTM, 30 steps, 32 → 64, batch 32',
		graph: { kind: 'recurrent' },
		...{ model: 'lstm', options: { hidden: 64 } },
		...{ batch: 32, chunk: 50, classes: 3 },
	},
	transformer(4, 4),
	{ ...transformer(12, 2), variants: { recompute: { recompute: 'segments' } } },
	{
		name: 'vit block',
		title: 'ViT block on 4×4 patches of 32×32 images, width 192, 3 heads, batch 16',
		graph: { kind: 'vitBlock' },
		...{ model: 'vit_block', options: { heads: 3, patch: 4 } },
		...{ batch: 16, chunk: 10, classes: 10 },
	},
	{
		name: 'conv net',
		title: 'convolutional net, 3 layers, 32×32 images, batch 32',
		graph: { kind: 'convolution' },
		...{ model: 'convolution', options: {} },
		...{ batch: 32, chunk: 10, classes: 10 },
	},
	{
		name: 'resnet-18',
		title: 'ResNet-18 for 32×32 images, batch 16',
		graph: { kind: 'residual' },
		...{ model: 'resnet', options: {} },
		// behind batch normalisation Adam's first steps turn rounding into whole steps; small ones keep the losses comparable
		...{ batch: 16, chunk: 2, classes: 10, rate: 1e-5 },
	},
].map((row) => ({ rate: 1e-3, ...row }));

/** The rows of these names, or all. Throws RangeError for a name that no row has. */
export function rowsOf(names) {
	const unknown = names.find((name) => !rows.some((row) => row.name === name));
	if (unknown !== undefined) throw new RangeError(`no row "${unknown}"; expected one of ${rows.map(({ name }) => name).join('; ')}`);
	return names.length === 0 ? rows : rows.filter(({ name }) => names.includes(name));
}
