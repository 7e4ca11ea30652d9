import { jsonFault, MOST_PREDICTED, type Prediction, PredictionRequest, ProblemError, parse } from '@steelyard/contracts';
import { openCsvBytes } from '@steelyard/table';
import type { Predictor } from './predictor.js';

/** What messages call the body of a request. */
const BODY = 'body';

function requestOf(body: Uint8Array): PredictionRequest {
	const text = new TextDecoder().decode(body);
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		throw new ProblemError('invalid_json', `The body is not valid JSON: ${jsonFault(text) ?? 'it cannot be read'}`);
	}
	return parse(PredictionRequest, value);
}

/** Predicts the rows of a `PredictionRequest` in JSON. Throws ProblemError or TableError where the request or a row does not fit. */
export const predictJson = async (model: Predictor, body: Uint8Array): Promise<Prediction[]> => model.predictRows(requestOf(body).rows);

/** Predicts the rows of a csv file, of as many as a request may have. Throws ProblemError or TableError where the file or a row does not fit. */
export async function predictCsv(model: Predictor, body: Uint8Array): Promise<Prediction[]> {
	const all: Prediction[] = [];
	for await (const { first, predictions } of model.predictTable(await openCsvBytes(body, { file: BODY }))) {
		if (first + predictions.length > MOST_PREDICTED)
			throw new ProblemError('prediction_too_large', `A request may have ${MOST_PREDICTED} rows: send the others in further ones`);
		all.push(...predictions);
	}
	return all;
}
