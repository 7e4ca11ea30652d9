import type { ModalityProfile } from '../../dataset.js';
import type { Dims } from './shapes.js';

/** What a job gives to an input of the graph. */
export type Given = {
	readonly input: string;
	/** As a message calls it. */
	readonly what: string;
	/** The field of the spec that assigns it. */
	readonly param: string;
	/** The shapes in which the graph can take it. */
	readonly shapes: readonly Dims[];
	/** For values of a modality: the shape of one instance. An input can also take them in another shape of the same size. */
	readonly instance: readonly number[] | null;
	/** What is known of the values that it takes; null where nothing is to be checked. */
	readonly profile: ModalityProfile | null;
};
