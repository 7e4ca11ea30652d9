import type { FuseMoeConfig } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { describe, expect, it } from 'vitest';
import { fuseMoe } from '../src/index.js';

const modalities: readonly ModalityShape[] = [
	{ name: 'text', shape: [50, 300], maskedSteps: true },
	{ name: 'audio', shape: [37, 5], maskedSteps: false },
	{ name: 'face', shape: [20], maskedSteps: false },
];
const named = (names: string): ModalityShape[] => modalities.filter(({ name }) => names.split('+').includes(name));

const configOf = (
	router: FuseMoeConfig['router'],
	experts: number,
	top_k: number,
	sequence_encoder: FuseMoeConfig['sequence_encoder'],
): FuseMoeConfig => ({
	family: 'fuse-moe',
	width: 96,
	heads: 4,
	layers: 3,
	tokens: 5,
	sequence_encoder,
	time_width: 20,
	time_columns: { text: 3 },
	bidirectional: true,
	hidden: 31,
	experts,
	top_k,
	expert_hidden: 700,
	router,
	gate: 'laplace',
	noisy: true,
	balance: 0.01,
	dropout: 0.1,
});

describe('the work of fuse-moe', () => {
	// The size of a chunk depends on these numbers, and the last bits of a training on the size of a chunk: a change of them changes the results of equal jobs.
	it.each<[string, FuseMoeConfig['router'], number, number, FuseMoeConfig['sequence_encoder'], number]>([
		['text+audio+face', 'joint', 6, 2, 'lstm', 632140179],
		['text+audio+face', 'joint', 6, 2, 'gru', 595909610.9999999],
		['text+audio+face', 'joint', 6, 2, 'mtand', 592855658.9999998],
		['text+audio+face', 'joint', 7, 3, 'lstm', 779438318.9999996],
		['text+audio+face', 'joint', 7, 3, 'gru', 743207750.9999998],
		['text+audio+face', 'joint', 7, 3, 'mtand', 740153798.9999998],
		['text+audio+face', 'permod', 6, 2, 'lstm', 632976530.9999999],
		['text+audio+face', 'permod', 6, 2, 'gru', 596745962.9999999],
		['text+audio+face', 'permod', 6, 2, 'mtand', 593692010.9999998],
		['text+audio+face', 'permod', 7, 3, 'lstm', 780414062.9999996],
		['text+audio+face', 'permod', 7, 3, 'gru', 744183494.9999998],
		['text+audio+face', 'permod', 7, 3, 'mtand', 741129542.9999998],
		['text+audio+face', 'disjoint', 6, 2, 'lstm', 632976531.0000012],
		['text+audio+face', 'disjoint', 6, 2, 'gru', 596745963.0000018],
		['text+audio+face', 'disjoint', 6, 2, 'mtand', 593692011.0000018],
		['text+audio+face', 'disjoint', 7, 3, 'lstm', 780414063],
		['text+audio+face', 'disjoint', 7, 3, 'gru', 744183494.9999999],
		['text+audio+face', 'disjoint', 7, 3, 'mtand', 741129542.9999999],
		['audio', 'joint', 6, 2, 'lstm', 201508131.00000003],
		['audio', 'joint', 6, 2, 'mtand', 156917210.99999997],
		['audio', 'permod', 6, 2, 'lstm', 201508131.00000003],
		['audio', 'permod', 6, 2, 'mtand', 156917210.99999997],
		['audio', 'disjoint', 6, 2, 'lstm', 201508131.00000003],
		['audio', 'disjoint', 6, 2, 'mtand', 156917210.99999997],
	])('over %s with the router %s, %i experts, top %i and %s is what it always was', (names, router, experts, topK, encoder, work) => {
		expect(fuseMoe.work?.(configOf(router, experts, topK, encoder), named(names), 3, 33)).toBe(work);
	});
});

describe('the parameters of fuse-moe', () => {
	it('belong to the encoder of the modality in whose name they begin, and only those', () => {
		const parameters = fuseMoe.parameters(configOf('disjoint', 4, 2, 'gru'), modalities, 3);
		for (const { name, encoder } of parameters) expect(encoder, name).toBe(/^encoder\.([^.]+)\./.exec(name)?.[1] ?? null);
	});

	it('of cross attention are told from others by what they are, whatever a modality is called', () => {
		const [, , face] = modalities as [ModalityShape, ModalityShape, ModalityShape];
		const work = (name: string) =>
			fuseMoe.work?.(
				configOf('permod', 4, 2, 'gru'),
				[
					{ ...face, name },
					{ ...face, name: 'other' },
				],
				3,
				33,
			);
		expect(work('cross')).toBe(work('face'));
	});
});
