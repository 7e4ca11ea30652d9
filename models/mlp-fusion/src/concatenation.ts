import { type Fusion, head, headParameters, sideBySide } from './fusion.js';
import { activated } from './perceptron.js';

/** The embeddings side by side. */
export const concatenation: Fusion = {
	parameters: (settings, modalities, outputs) => headParameters(settings, settings.hidden * modalities.length, outputs),

	logits(context, settings, embeddings) {
		const joined = sideBySide(
			context,
			embeddings.map(({ embedding }) => embedding),
		);
		return head(context, settings, activated(context, joined, settings.dropout));
	},
};
