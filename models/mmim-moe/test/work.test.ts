import type { MmimMoeConfig } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { describe, expect, it } from 'vitest';
import { mmimMoe } from '../src/index.js';

const modalities: readonly ModalityShape[] = [
	{ name: 'text', shape: [50, 300], maskedSteps: true },
	{ name: 'audio', shape: [37, 5], maskedSteps: false },
	{ name: 'face', shape: [20], maskedSteps: false },
];
const named = (names: string): ModalityShape[] => modalities.filter(({ name }) => names.split('+').includes(name));

const configOf = (
	router: MmimMoeConfig['router'],
	experts: number,
	top_k: number,
	cell: 'lstm' | 'gru',
	block: MmimMoeConfig['block'],
): MmimMoeConfig => ({
	family: 'mmim-moe',
	width: 96,
	layers: 2,
	block,
	sequence: { cell, bidirectional: block === 'attention', hidden: 31 },
	experts,
	top_k,
	expert_hidden: 700,
	router,
	gate: 'laplace',
	noisy: true,
	balance: 0.01,
	dropout: 0.1,
});

describe('the work of mmim-moe', () => {
	// The size of a chunk depends on these numbers, and the last bits of a training on the size of a chunk: a change of them changes the results of equal jobs.
	it.each<[string, MmimMoeConfig['router'], number, number, 'lstm' | 'gru', MmimMoeConfig['block'], number]>([
		['text+audio+face', 'joint', 6, 2, 'lstm', 'attention', 224892723],
		['text+audio+face', 'joint', 6, 2, 'gru', 'attention', 188314335],
		['text+audio+face', 'joint', 6, 2, 'gru', 'conv', 131343993],
		['text+audio+face', 'joint', 7, 3, 'lstm', 'attention', 251699546.99999988],
		['text+audio+face', 'joint', 7, 3, 'gru', 'attention', 215121158.9999999],
		['text+audio+face', 'joint', 7, 3, 'gru', 'conv', 158150817.00000003],
		['text+audio+face', 'permod', 6, 2, 'lstm', 'attention', 225348915],
		['text+audio+face', 'permod', 6, 2, 'gru', 'attention', 188770527],
		['text+audio+face', 'permod', 6, 2, 'gru', 'conv', 131800185],
		['text+audio+face', 'permod', 7, 3, 'lstm', 'attention', 252231770.99999988],
		['text+audio+face', 'permod', 7, 3, 'gru', 'attention', 215653382.9999999],
		['text+audio+face', 'permod', 7, 3, 'gru', 'conv', 158683041.00000003],
		['text+audio+face', 'disjoint', 6, 2, 'lstm', 'attention', 225348915],
		['text+audio+face', 'disjoint', 6, 2, 'gru', 'attention', 188770527],
		['text+audio+face', 'disjoint', 6, 2, 'gru', 'conv', 131800185],
		['text+audio+face', 'disjoint', 7, 3, 'lstm', 'attention', 252231770.99999946],
		['text+audio+face', 'disjoint', 7, 3, 'gru', 'attention', 215653382.9999996],
		['text+audio+face', 'disjoint', 7, 3, 'gru', 'conv', 158683040.99999997],
		['audio', 'joint', 6, 2, 'lstm', 'attention', 37343691],
		['audio', 'joint', 6, 2, 'gru', 'conv', 29802993],
		['audio', 'permod', 6, 2, 'lstm', 'attention', 37343691],
		['audio', 'permod', 6, 2, 'gru', 'conv', 29802993],
		['audio', 'disjoint', 6, 2, 'lstm', 'attention', 37343691],
		['audio', 'disjoint', 6, 2, 'gru', 'conv', 29802993],
	])(
		'over %s with the router %s, %i experts, top %i, %s and %s is what it always was',
		(names, router, experts, topK, cell, block, work) => {
			expect(mmimMoe.work?.(configOf(router, experts, topK, cell, block), named(names), 3, 33)).toBe(work);
		},
	);
});

describe('the parameters of mmim-moe', () => {
	it('belong to the encoder of the modality in whose name they begin, and only those', () => {
		const parameters = mmimMoe.parameters(configOf('disjoint', 4, 2, 'gru', 'attention'), modalities, 3);
		for (const { name, encoder } of parameters) expect(encoder, name).toBe(/^encoder\.([^.]+)\./.exec(name)?.[1] ?? null);
	});

	it('of an encoder are told from those of experts by what they are, whatever a modality is called', () => {
		const expert: ModalityShape = { name: 'expert', shape: [20], maskedSteps: false };
		const work = (of: ModalityShape) => mmimMoe.work?.(configOf('permod', 4, 2, 'gru', 'attention'), [of], 3, 33);
		expect(work(expert)).toBe(work({ ...expert, name: 'face' }));
	});
});
