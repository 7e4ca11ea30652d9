import type { FuseMoeConfig } from '@steelyard/contracts';
import type { ModalityShape, ParameterSpec } from '@steelyard/family';
import { embeddingShape } from './encoders.js';

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const sizeOf = (shape: readonly number[]): number => shape.reduce((all, one) => all * one, 1);

/** Multiply-adds of a forward pass over a batch, about: the size of each parameter times the steps, tokens or rows that meet it. */
export function workOf(
	config: FuseMoeConfig,
	modalities: readonly ModalityShape[],
	parameters: readonly ParameterSpec[],
	batch: number,
): number {
	const tokens = sum(modalities.map((modality) => embeddingShape(config, modality)[0]));
	const others = modalities.length - 1;
	const metBy = (name: string): number => {
		const [kind, modality] = name.split('.');
		if (kind === 'encoder') {
			const shape = (modalities.find((one) => one.name === modality) as ModalityShape).shape;
			return shape.length === 2 ? (shape[0] as number) : 1;
		}
		if (kind !== 'layer') return 1;
		const own = tokens / modalities.length;
		if (name.includes('.expert.')) return (config.router === 'disjoint' ? own : tokens) * (config.top_k / config.experts);
		return /\.cross\..*\.(key|value)\./.test(name) ? own * others : own;
	};
	return batch * sum(parameters.map(({ name, shape }) => sizeOf(shape) * metBy(name)));
}
