import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Graph, type Model, renamed, type Value, withoutUnused } from '@steelyard/onnx';
import type { Feature, Featuriser, SequenceFeature, TextReading } from './featuriser.js';
import { featuriserGraph, inputName, maskInputName } from './graph.js';
import { RECIPE_FILE } from './ingest-table.js';

/** How the raw columns of a dataset become features; null for a dataset that was no table. */
export function readFeaturiser(folder: string): Featuriser | null {
	try {
		return JSON.parse(readFileSync(join(folder, RECIPE_FILE), 'utf8')) as Featuriser;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
		throw error;
	}
}

/** What a raw column is; words are taken from text. */
type RawKind = Exclude<Feature['kind'], 'tokens'>;
const rawKind = ({ kind }: Feature): RawKind => (kind === 'tokens' ? 'text' : kind);

/** A raw column that a model takes: the name of its input, what that takes in words, and how the texts of a table are read. */
export type RawInput = TextReading & {
	readonly input: string;
	readonly column: string;
	readonly kind: RawKind;
	readonly takes: string;
	/** Of lists, the numbers of each. */
	readonly size?: number;
	/** Of sequences, the steps to which they are filled up, the numbers of a step where that is a list, and the name of the input for their mask. */
	readonly steps?: number;
	readonly features?: number;
	readonly mask?: string;
};

/** What a model says of its inputs: the columns, and the texts that mean that nothing is there. */
export type RawInputs = { readonly missing: readonly string[]; readonly columns: readonly RawInput[] };

/** What a model says of its inputs, in its metadata. */
export const INPUTS_KEY = 'steelyard.inputs';

const FEEDING: Readonly<Record<RawKind, string>> = {
	number: 'float64, NaN where it is missing',
	date: 'float64: seconds since 1970-01-01 UTC, NaN where it is missing',
	category: 'string as in the table, "" where it is missing',
	text: 'string, "" where it is missing',
	vector: 'float64 of all its numbers, NaN where they are missing',
	sequence: 'float64 of all its steps, behind them zeros; its mask float32, 1 for a step that is there, else 0',
};

/** Names that a model has already. */
const takenBy = (model: Graph): Set<string> =>
	new Set([...[...model.outputs, ...model.values.values(), ...model.inputs].map(({ name }) => name), ...model.initializers.keys()]);

/** Names of the inputs for the masks of sequences: those of the columns with `.mask` behind them, and more where that is taken. */
function maskNames(features: readonly Feature[], columns: ReadonlyMap<string, string>, model: Graph): Map<string, string> {
	const taken = new Set([...takenBy(model), ...columns.values()]);
	return new Map(
		features
			.filter(({ kind }) => kind === 'sequence')
			.map(({ column }) => {
				let name = `${columns.get(column)}.mask`;
				while (taken.has(name)) name = `${name}_`;
				taken.add(name);
				return [column, name];
			}),
	);
}

/** What a model says of the input of a sequence. */
const sequenceInput = ({ steps, features }: SequenceFeature, mask: string): Pick<RawInput, 'steps' | 'features' | 'mask'> => ({
	steps,
	...(features === null ? {} : { features }),
	mask,
});

/** Names of the inputs of columns: those of the columns, but for one that the model or the graph of the features needs itself. */
function inputNames(features: readonly Feature[], model: Graph): Map<string, string> {
	const taken = takenBy(model);
	return new Map(
		features.map(({ column }) => {
			let name = column;
			while (taken.has(name) || /^(features\/|mask[./]|column\/)/.test(name)) name = `column.${name}`;
			taken.add(name);
			return [column, name];
		}),
	);
}

/**
 * A model that takes raw columns, of one that takes the features of modalities: the graph of the features stands in front of it. Its inputs are those of the columns that
 * the model's modalities were made of; what each of them takes is written in its metadata as JSON, under `steelyard.inputs`.
 */
export function rawModel(featuriser: Featuriser, model: Model): Model {
	const wanted = new Set(model.graph.inputs.map(({ name }) => name));
	const modalities = featuriser.modalities.filter(({ name }) => wanted.has(`x.${name}`));
	const features = modalities.flatMap(({ features: own }) => own);
	const names = inputNames(features, model.graph);
	const masks = maskNames(features, names, model.graph);
	const byInput = new Map([
		...[...names].map(([column, name]) => [inputName(column), name] as const),
		...[...masks].map(([column, name]) => [maskInputName(column), name] as const),
	]);
	const made = renamed(featuriserGraph({ ...featuriser, modalities }), (name) => byInput.get(name) ?? name);
	const graph: Graph = withoutUnused({
		name: model.graph.name,
		nodes: [...made.nodes, ...model.graph.nodes],
		inputs: made.inputs,
		outputs: model.graph.outputs,
		initializers: new Map([...made.initializers, ...model.graph.initializers]),
		values: new Map([...made.values, ...model.graph.values, ...made.outputs.map((value): [string, Value] => [value.name, value])]),
	});
	const inputs: RawInputs = {
		missing: featuriser.missing,
		columns: features.map((feature) => ({
			input: names.get(feature.column) ?? feature.column,
			column: feature.column,
			kind: rawKind(feature),
			takes: FEEDING[rawKind(feature)],
			...(feature.kind === 'vector' ? { size: feature.size } : {}),
			...(feature.kind === 'sequence' ? sequenceInput(feature, masks.get(feature.column) as string) : {}),
			...(featuriser.readings[feature.column] ?? { decimal: '.', day_first: false }),
		})),
	};
	return { ...model, graph, metadata: { ...model.metadata, [INPUTS_KEY]: JSON.stringify(inputs) } };
}
