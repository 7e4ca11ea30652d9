// The process that runs trained models over rows that are sent to the API. It loads the engine, so a model that crashes the engine ends this process and not the worker.
import { isOutOfMemory, type Predictions, ProblemError } from '@steelyard/contracts';
import { predictCsv, predictJson } from '@steelyard/prediction';
import { endWithParent } from './end-with-parent.js';
import type { FromPredictor, ToPredictor } from './protocol.js';
import { createWarmModels, type WarmModels } from './warm-models.js';

/** The most bytes of an answer: half of what Redis lets wait for one who hears its messages, before it cuts the connection. */
const LONGEST_ANSWER = 16 * 1024 ** 2;

async function predict(models: WarmModels, { job, model: file, warmBytes, type, body }: ToPredictor): Promise<string> {
	const data = await (type === 'json' ? predictJson : predictCsv)(await models.get(file, warmBytes), body);
	const text = JSON.stringify({ object: 'predictions', job, data } satisfies Predictions);
	const bytes = Buffer.byteLength(text);
	if (bytes > LONGEST_ANSWER)
		throw new ProblemError(
			'prediction_too_large',
			`The answer would have ${bytes} bytes, of at most ${LONGEST_ANSWER}: send fewer rows at a time`,
		);
	return text;
}

/** What was wrong, where that lies in the rows or in the model. */
function refusalOf(error: unknown): FromPredictor {
	const { name, message } = error as Error;
	if (error instanceof ProblemError) return { type: 'refused', error: { code: error.code, message, param: error.param } };
	if (name === 'TableError') return { type: 'refused', error: { code: 'invalid_request', message, param: null } };
	// It ends this process, which is what tells the worker that its memory was not enough.
	if (isOutOfMemory(message)) throw error;
	if (name !== 'RuntimeError') process.stderr.write(`${(error as Error).stack}\n`);
	return {
		type: 'refused',
		error: { code: 'prediction_failed', message: `The model could not be run over these rows: ${message}`, param: null },
	};
}

// The engine may compute for ever, and then hears no message.
endWithParent();
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches this process too, but it is the worker that decides when this process ends.
process.on('SIGINT', () => {});
const models = createWarmModels();
process.on('message', async (order: ToPredictor) => {
	const answer = await predict(models, order).then((text): FromPredictor => ({ type: 'predicted', text }), refusalOf);
	process.send?.(answer);
});
if (!process.connected) process.exit();
