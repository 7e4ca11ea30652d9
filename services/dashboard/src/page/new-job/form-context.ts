import type { Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Json } from './json.js';

/** What the service refused: the place of the field that it names, such as `training.epochs`, and its words. */
export type Refusal = { readonly place: string; readonly message: string };

/** What all fields of the form know. */
export type FormKnowledge = {
	readonly refusal: Signal<Refusal | null>;
	/** The names of the modalities of the chosen dataset. */
	readonly modalities: Signal<readonly string[]>;
	/** The names that the record at a place may well get, each with what it begins with; null where nothing is known of them. */
	readonly entriesAt: (place: string) => ReadonlyMap<string, Json> | null;
};

export const FormContext = createContext<FormKnowledge | null>(null);

export function useForm(): FormKnowledge {
	const known = useContext(FormContext);
	if (known === null) throw new Error('a field stands outside of a form');
	return known;
}
