import { SteelyardError } from '@steelyard/client';
import type { TableManifest, TablePreview } from '@steelyard/contracts';
import { client } from '../session.js';
import { isEmptyManifest } from './manifest-edit.js';
import { columnsInRefusal } from './refusal-place.js';
import type { TableSample } from './table-sample.js';

/** How many columns are tried as the label where none has a usual name. */
const GUESSES = 4;

const wantsLabel = (error: unknown, manifest: TableManifest): error is SteelyardError =>
	error instanceof SteelyardError && error.param === 'label' && manifest.label === undefined;

/** Asks how a table would be read. Where no column is named as the label, the last ones are tried, and the one that was taken is the `guess`. */
export async function lookAtTable(
	{ blob, filename, names, lacksLabel }: TableSample,
	manifest: TableManifest,
	{ signal, tellNames }: { signal: AbortSignal; tellNames: (names: readonly string[]) => void },
): Promise<{ preview: TablePreview; guess: string | null }> {
	const ask = (said: TableManifest) =>
		client.value.datasets.preview(blob, filename, { signal, ...(isEmptyManifest(said) ? {} : { manifest: said }) });
	const tried = async (known: readonly string[]) => {
		for (const guess of known.slice(-GUESSES).reverse()) {
			const preview = await ask({ ...manifest, label: guess }).catch((refused: Error) => {
				if (signal.aborted || !(refused instanceof SteelyardError) || refused.param !== 'label') throw refused;
				return null;
			});
			if (preview !== null) return { preview, guess };
		}
		return null;
	};
	const guessed = lacksLabel && manifest.label === undefined ? await tried(names) : null;
	if (guessed !== null) return guessed;
	try {
		return { preview: await ask(manifest), guess: null };
	} catch (error) {
		if (!wantsLabel(error, manifest) || lacksLabel) throw error;
		const known = names.length > 0 ? names : columnsInRefusal(error.message);
		tellNames(known);
		const found = await tried(known);
		if (found === null) throw error;
		return found;
	}
}
