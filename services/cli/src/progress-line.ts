import type { JobEvent } from '@steelyard/contracts';
import { durationText } from './units.js';

export type ProgressEvent = Extract<JobEvent, { type: 'progress' }>;

/** What a model came to so far. */
export type TrainedModel = {
	/** Epochs that were trained. */
	epochs: number;
	/** The epoch whose parameters are kept, from 1; null before there is one. */
	bestEpoch: number | null;
	/** Validation loss of the kept parameters; null where the validation split has no row with the modality. */
	bestLoss: number | null;
	/** Validation loss of the newest epoch. */
	newestLoss: number | null;
};

/** The models that were trained under one name: the fusion model, or the unimodal models of one modality (one per fold). */
export type Trained = {
	name: string;
	/** Most epochs that a model may train. */
	epochs: number;
	models: readonly TrainedModel[];
};

/** A part of a line; of two parts the one with the smaller `rank` is the more important. */
type Field = { text: string; rank: number };

const NAME_WIDTH = 16;
const GAP = '  ';
const BAR = { narrowest: 8, widest: 24 };

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`);
// JSON has no NaN: a loss that is not a number arrives as null.
const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(4));
const bar = (fraction: number, width: number): string => '█'.repeat(Math.round(fraction * width)).padEnd(width, '·');
/** A name of at most a third of the line, so that a long one leaves room for the rest. */
const nameField = (name: string, columns: number): string => cut(name, Math.max(NAME_WIDTH, Math.floor(columns / 3))).padEnd(NAME_WIDTH);
const joined = (fields: readonly Field[]): string => `${GAP}${fields.map(({ text }) => text).join(GAP)}`;

/** As many of these fields as fit into so many columns, the important ones first, in the order given. */
function fitting(fields: readonly Field[], columns: number): Field[] {
	let chosen: Field[] = [];
	for (const field of [...fields].sort((a, b) => a.rank - b.rank)) {
		const more = fields.filter((one) => one === field || chosen.includes(one));
		if (chosen.length === 0 || joined(more).length <= columns) chosen = more;
	}
	return chosen;
}

/** `unimodal text` for the stage that trains one model per modality, else the name of the stage. */
export const nameOf = ({ stage, model }: { stage: string; model: string }): string =>
	stage === 'unimodal' ? `unimodal ${model.replace(/\.\d+$/, '')}` : stage;

/** `fold 3` where the model is one of several of its modality, which events name `text.2`. */
const foldOf = (model: string): string | null => {
	const fold = /\.(\d+)$/.exec(model)?.[1];
	return fold === undefined ? null : `fold ${Number(fold) + 1}`;
};

/**
 * The line of a job that trains: the model and its epoch, then how far the whole job is and how long it still takes. A narrow window has no room for the
 * speed, then for the bar, the losses and the fold. The bar takes the room that is left; a log, of unlimited columns, has none.
 */
export function runningLine(event: ProgressEvent, validationLoss: number | null, columns: number): string {
	const fold = foldOf(event.model);
	const progressBar: Field = { text: bar(event.progress, BAR.narrowest), rank: 7 };
	const fields = fitting(
		[
			{ text: nameField(nameOf(event), columns), rank: 0 },
			...(fold === null ? [] : [{ text: fold, rank: 4 }]),
			{ text: `epoch ${String(event.epoch + 1).padStart(String(event.epochs).length)}/${event.epochs}`, rank: 2 },
			{ text: `loss ${figure(event.loss)}`, rank: 5 },
			...(validationLoss === null ? [] : [{ text: `validation ${figure(validationLoss)}`, rank: 6 }]),
			...(columns === Number.POSITIVE_INFINITY ? [] : [progressBar]),
			{ text: `job ${String(Math.floor(event.progress * 100)).padStart(3)} %`, rank: 1 },
			...(event.eta_seconds === null ? [] : [{ text: `eta ${durationText(event.eta_seconds)}`, rank: 3 }]),
			{ text: `${Math.round(event.rows_per_second)} rows/s`, rank: 8 },
		],
		columns,
	);
	const room = BAR.narrowest + columns - joined(fields).length;
	const widened = fields.map((field) =>
		field === progressBar ? { ...field, text: bar(event.progress, Math.min(BAR.widest, room)) } : field,
	);
	return cut(joined(widened), columns);
}

/** `9`, or `9–14` where the values differ; empty without values. */
function range(values: ReadonlyArray<number | null>, text: (value: number) => string): string {
	const known = values.filter((value) => value !== null);
	if (known.length === 0) return '';
	const [least, most] = [text(Math.min(...known)), text(Math.max(...known))];
	return least === most ? least : `${least}–${most}`;
}

/** The line that stays of trained models: whether they stopped early, their best epoch and its validation loss; in fewer words in a narrow window. */
export function trainedLine({ name, epochs, models }: Trained, columns: number): string {
	const count = range(
		models.map((model) => model.epochs),
		String,
	);
	const best = range(
		models.map(({ bestEpoch }) => bestEpoch),
		String,
	);
	const loss = range(
		models.map(({ bestLoss }) => bestLoss),
		(value) => value.toFixed(4),
	);
	const early = models.some((model) => model.epochs < epochs);
	const several = models.length > 1 && `${models.length} models`;
	const bestEpoch = best !== '' && `best epoch ${best}`;
	const validationLoss = loss !== '' && `validation loss ${loss}`;
	const stopped = early ? `stopped at ${count}/${epochs}` : `${epochs} epochs`;
	const wordings = [
		[several, early ? `stopped early at epoch ${count} of at most ${epochs}` : `trained all ${epochs} epochs`, bestEpoch, validationLoss],
		[several, stopped, bestEpoch, validationLoss],
		[stopped, best !== '' && `best ${best}`, loss !== '' && `loss ${loss}`],
		[stopped, loss !== '' && `loss ${loss}`],
	].map((parts) => `${GAP}${nameField(name, columns)}${GAP}${parts.filter((part) => part !== false).join(', ')}`);
	return wordings.find((line) => line.length <= columns) ?? cut(wordings.at(-1) as string, columns);
}
