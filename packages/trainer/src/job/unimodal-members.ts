import type { ModalityShape } from '@steelyard/family';
import type { Prepared } from './prepare.js';

/** One of the unimodal models of a modality; `fold` is null where the modality has only one. */
export type Member = { readonly index: number; readonly m: number; readonly modality: ModalityShape; readonly fold: number | null };

/** The unimodal models of a job in the order in which they are trained: the models of a modality follow one another. */
export function membersOf({ modalities, weigher: { models } }: Pick<Prepared, 'modalities' | 'weigher'>): Member[] {
	return modalities.flatMap((modality, m) =>
		Array.from({ length: models }, (_, f) => ({ index: m * models + f, m, modality, fold: models === 1 ? null : f })),
	);
}

/** What a unimodal model is called in events and in the state of the job. */
export const nameOf = ({ modality, fold }: Member): string => (fold === null ? modality.name : `${modality.name}.${fold}`);
