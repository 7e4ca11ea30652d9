import { type Prediction, ProblemError } from '@steelyard/contracts';
import { type RawInputs, rawInputsOf, rawRows } from '@steelyard/features';
import { metadataOf } from '@steelyard/onnx';
import { createSession, type Session } from '@steelyard/runtime';
import { type Table, tableOf } from '@steelyard/table';
import { answersOf, meaningIn } from './answers.js';
import { arrayRows, type Feeds, type Row } from './array-rows.js';

/** Rows that are predicted at a time. */
const TOGETHER = 1024;
/** What messages call the rows of a request. */
const ROWS = 'rows';

/** A trained model that is ready to be run over rows. */
export type Predictor = {
	/** The columns that it takes; null where it takes arrays. */
	readonly columns: RawInputs | null;
	/** Predicts the rows of a table, some at a time; `first` is the number of the first of them. Throws TableError where a column is not there, and ProblemError where the model takes no columns. */
	predictTable(table: Table): AsyncGenerator<{ first: number; predictions: Prediction[] }>;
	/** Predicts rows by the names of their columns, modalities or inputs. Throws TableError or ProblemError where they do not fit, which counts rows from `first` on, 0 unless given. */
	predictRows(rows: readonly Row[], first?: number): Promise<Prediction[]>;
	release(): Promise<void>;
};

/** How many rows a model takes at a time, and whether never fewer. */
function batchOf({ inputs }: Session): { together: number; fixed: boolean } {
	const [axis] = inputs.find(({ shape }) => shape.length > 0)?.shape ?? [];
	return typeof axis === 'number' && axis > 0 ? { together: axis, fixed: true } : { together: TOGETHER, fixed: false };
}

/** Opens the file that a job has made. Throws GraphError for one that is no model, and RuntimeError where ONNX Runtime refuses it. */
export async function openPredictor(model: Uint8Array, { threads = 1 } = {}): Promise<Predictor> {
	const metadata = metadataOf(model);
	const columns = rawInputsOf(metadata);
	const meaning = meaningIn(metadata);
	const session = await createSession(model, { optimisation: 'all', threads });
	const { together, fixed } = batchOf(session);

	const run = async (feeds: Feeds, batch: number, count: number): Promise<Prediction[]> =>
		answersOf(await session.run(feeds), { batch, count }, meaning);

	async function* predictTable(table: Table): AsyncGenerator<{ first: number; predictions: Prediction[] }> {
		if (columns === null)
			throw new ProblemError('invalid_request', 'The model takes arrays and no columns: send rows with a list for each of its modalities');
		for await (const { first, count, feeds } of rawRows(table, columns, { together }))
			yield { first, predictions: await run(feeds, count, count) };
	}

	async function predictArrays(rows: readonly Row[], first: number): Promise<Prediction[]> {
		const feedsOf = arrayRows(session.inputs, rows, first);
		const predictions: Prediction[] = [];
		for (let from = 0; from < rows.length; from += together) {
			const count = Math.min(together, rows.length - from);
			const batch = fixed ? together : count;
			predictions.push(...(await run(feedsOf(from, count, batch), batch, count)));
		}
		return predictions;
	}

	return {
		columns,
		predictTable,
		async predictRows(rows, first = 0) {
			if (columns === null) return predictArrays(rows, first);
			const predictions: Prediction[] = [];
			for await (const some of predictTable(tableOf(rows, ROWS))) predictions.push(...some.predictions);
			return predictions;
		},
		release: () => session.release(),
	};
}
