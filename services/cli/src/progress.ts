import type { JobEvent, JobResource } from '@steelyard/contracts';
import { deviceText } from './device-text.js';
import { type LiveLine, liveLine } from './live-line.js';
import { nameOf, type ProgressEvent, runningLine, type Trained, type TrainedModel, trainedLine } from './progress-line.js';

/** Least time between two lines on a running model where the output is no terminal, in milliseconds of the job. */
const PLAIN_INTERVAL = 5000;

type EpochEvent = Extract<JobEvent, { type: 'epoch' }>;

/** What an epoch's event says of the model that it belongs to. */
function afterEpoch(before: TrainedModel | undefined, { epoch, best, validation }: EpochEvent): TrainedModel {
	const kept = best ? { bestEpoch: epoch + 1, validationLoss: validation['loss'] ?? null } : before;
	return { epochs: epoch + 1, bestEpoch: kept?.bestEpoch ?? null, validationLoss: kept?.validationLoss ?? null };
}

/** A job as it trains: the models of the name that is being trained now, and the newest event on them. */
type Training = { name: string; models: Map<string, TrainedModel>; newest: ProgressEvent | null; validationLoss: number | null };

/** Shows the jobs that are followed one after another on `stream`. */
export type Progress = {
	/**
	 * Shows the events of a job until they end. On a terminal one line is drawn over in place while a model trains; elsewhere there are plain lines, a few
	 * per minute. A trained model leaves one line that says what came of it.
	 */
	follow(job: Pick<JobResource, 'spec'>, events: AsyncIterable<JobEvent>): Promise<void>;
};

export function progressOn(stream: NodeJS.WriteStream): Progress {
	let device: string | null = null;

	/** Shows the events of one job; `print` writes a line that stays, `live` is null where the output is no terminal. */
	function show(epochs: number, print: LiveLine['print'], live: LiveLine | null) {
		let training: Training | null = null;
		let plainAt: number | null = null;
		const say = (text: string): void => print(() => `  ${text}`);
		const finish = (): void => {
			const ended = training;
			training = null;
			if (ended === null || ended.models.size === 0) return;
			const trained: Trained = { name: ended.name, epochs, models: [...ended.models.values()] };
			print((columns) => trainedLine(trained, columns));
		};
		/** Where a model stands that is not trained to its end. */
		const leave = (): void => {
			if (training === null || training.newest === null) return;
			const { newest, validationLoss } = training;
			print((columns) => runningLine({ ...newest, eta_seconds: null }, validationLoss, columns));
			training.newest = null;
		};
		const trainingOf = (event: ProgressEvent | EpochEvent): Training => {
			const name = nameOf(event);
			if (training !== null && training.name !== name) finish();
			training ??= { name, models: new Map(), newest: null, validationLoss: null };
			return training;
		};
		const onProgress = (event: ProgressEvent): void => {
			const now = trainingOf(event);
			if (now.newest?.model !== event.model) now.validationLoss = null;
			now.newest = event;
			const line = (columns: number): string => runningLine(event, now.validationLoss, columns);
			live?.draw(line);
			plainAt ??= event.at;
			if (live !== null || event.at - plainAt < PLAIN_INTERVAL) return;
			print(line);
			plainAt = event.at;
		};
		const onEpoch = (event: EpochEvent): void => {
			const now = trainingOf(event);
			now.models.set(event.model, afterEpoch(now.models.get(event.model), event));
			now.validationLoss = event.validation['loss'] ?? null;
		};
		return {
			onEvent(event: JobEvent): void {
				if (event.type === 'progress') onProgress(event);
				else if (event.type === 'epoch') onEpoch(event);
				else if (event.type === 'device') {
					const text = deviceText(event);
					if (text !== device) say(text);
					device = text;
				} else if (event.type === 'stage') {
					if (event.stage === 'evaluating' || event.stage === 'exporting') finish();
					live?.draw(() => `  ${event.stage}`);
				} else if (event.type === 'status' && event.status !== 'running' && event.status !== 'succeeded') {
					leave();
					if (event.error !== null) say(`${event.status}: ${event.error.message} (${event.error.code})`);
					else if (event.status === 'queued' && event.attempt > 0) say(`queued again after attempt ${event.attempt}`);
				}
			},
			leave,
		};
	}

	return {
		async follow({ spec }, events) {
			const live = stream.isTTY ? liveLine(stream) : null;
			const print: LiveLine['print'] = live?.print ?? ((line) => void stream.write(`${line(Number.POSITIVE_INFINITY)}\n`));
			const { onEvent, leave } = show(spec.training.epochs, print, live);
			try {
				for await (const event of events) onEvent(event);
			} finally {
				leave();
				live?.close();
			}
		},
	};
}
