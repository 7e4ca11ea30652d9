import { fileURLToPath } from 'node:url';
import { MODEL_ARTIFACT, type ProblemCode, ProblemError } from '@steelyard/contracts';
import type { Outcome, PredictionOrder } from '@steelyard/queue';
import {
	type BoundedChild,
	bundled,
	type ChildLimits,
	howItEnded,
	memoryText,
	type OrderEnd,
	startBoundedChild,
} from '@steelyard/service-process';
import { jobKeys, readRecord, type ServiceStore } from '@steelyard/store';
import type { FromPredictor, ToPredictor } from './protocol.js';
import { withoutPathsOf } from './without-paths.js';

/** The program, by a path that holds from `src` as well as from `dist` and from `bundle`. */
export const PREDICT_ENTRY = bundled(fileURLToPath(new URL('../dist/predict-child.js', import.meta.url)));

/** What one request for predictions may take. */
export const PREDICTION: ChildLimits = { ms: 60_000, bytes: 2 * 1024 ** 3 };
/** The share of the memory that the models which are kept ready may have. */
const WARM_SHARE = 0.5;
/** Milliseconds without a request after which the process and its models are let go. */
const IDLE = 600_000;
/** The most bytes of requests that wait. */
const MOST_WAITING = 64 * 1024 ** 2;

/** Runs trained models over rows in a process of its own, which keeps the models that were used last ready. */
export type Predicting = {
	/** Predicts, one request after the other. Gives `Predictions` as JSON; throws ProblemError. */
	predict(order: PredictionOrder): Promise<string>;
	/** Ends the process. Requests that wait are refused as `unavailable`. */
	close(): Promise<void>;
};

export type PredictingOptions = { store: ServiceStore; entry?: string; limits?: ChildLimits; onLine(line: string): void };

/** What an order came to. Throws ProblemError. */
function textOf(store: ServiceStore, end: OrderEnd<FromPredictor>, { ms, bytes }: ChildLimits): string {
	switch (end.type) {
		case 'answered': {
			const { answer } = end;
			if (answer.type === 'predicted') return answer.text;
			const { code, message, param } = answer.error;
			throw new ProblemError(code as ProblemCode, withoutPathsOf(store, message), param);
		}
		case 'late':
			throw new ProblemError(
				'prediction_too_large',
				`The prediction was ended after ${ms / 1000} s, which is the longest that it may take: send fewer rows at a time`,
			);
		case 'too big':
			throw new ProblemError(
				'prediction_too_large',
				`The prediction would take more than ${memoryText(bytes)} of memory: send fewer rows at a time`,
			);
		case 'crashed':
			throw new ProblemError('prediction_failed', `The process that ran the model ${howItEnded(end)}`);
	}
}

export function openPredicting({ store, entry = PREDICT_ENTRY, limits = PREDICTION, onLine }: PredictingOptions): Predicting {
	let child: BoundedChild | null = null;
	let last: Promise<unknown> = Promise.resolve();
	let waiting = 0;
	let closed = false;
	let idle: NodeJS.Timeout | undefined;

	function living(): BoundedChild {
		if (child === null || !child.isAlive) child = startBoundedChild({ entry, limits, onLine });
		return child;
	}

	async function run({ job, attempt, type, body }: PredictionOrder): Promise<string> {
		if (closed) throw new ProblemError('unavailable', 'The worker is about to end: ask again');
		clearTimeout(idle);
		const result = await readRecord<Outcome>(store, jobKeys.result(job));
		const artifact = result?.artifacts.find(({ name }) => name === MODEL_ARTIFACT) ?? null;
		try {
			return await store.files.withFile(jobKeys.artifact(job, attempt, MODEL_ARTIFACT), artifact, async (model) => {
				const order: ToPredictor = { job, model, warmBytes: limits.bytes * WARM_SHARE, type, body };
				return textOf(store, await living().run<FromPredictor>(order), limits);
			});
		} finally {
			idle = setTimeout(() => void child?.end(), IDLE).unref();
		}
	}

	return {
		async predict(order) {
			const { length } = order.body;
			if (waiting + length > MOST_WAITING) throw new ProblemError('unavailable', 'Too many rows wait to be predicted: ask again later');
			waiting += length;
			const mine = last.then(() => run(order));
			last = mine
				.catch(() => {})
				.finally(() => {
					waiting -= length;
				});
			return mine;
		},
		async close() {
			closed = true;
			clearTimeout(idle);
			await child?.end();
		},
	};
}
