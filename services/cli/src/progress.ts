import type { JobEvent, JobResource } from '@steelyard/contracts';
import { deviceText } from './device-text.js';
import { type Line, liveLine } from './live-line.js';
import { nameOf, type ProgressEvent, runningLine, type TrainedModel, trainedLine } from './progress-line.js';

/** Least time between two lines on a running model where the output is no terminal, in milliseconds of the job. */
const PLAIN_INTERVAL = 5000;

/** Where lines are shown: those that stay, and one that each line drawn replaces. */
type Output = { print(line: Line): void; draw(line: Line, at: number): void; close(): void };

function plainLines(stream: NodeJS.WriteStream): Output {
	const print = (line: Line): void => void stream.write(`${line(Number.POSITIVE_INFINITY)}\n`);
	let shownAt: number | null = null;
	return {
		print,
		draw(line, at) {
			shownAt ??= at;
			if (at - shownAt < PLAIN_INTERVAL) return;
			print(line);
			shownAt = at;
		},
		close() {},
	};
}

type EpochEvent = Extract<JobEvent, { type: 'epoch' }>;

/** What a model came to with an epoch more. */
function afterEpoch(before: TrainedModel | undefined, { epoch, best, validation }: EpochEvent): TrainedModel {
	const newestLoss = validation['loss'] ?? null;
	const kept = best
		? { bestEpoch: epoch + 1, bestLoss: newestLoss }
		: { bestEpoch: before?.bestEpoch ?? null, bestLoss: before?.bestLoss ?? null };
	return { epochs: epoch + 1, newestLoss, ...kept };
}

/** The models of one name, which are trained now; `newest` is the last progress event on them that is not yet replaced by a line that stays. */
type Training = { name: string; models: Map<string, TrainedModel>; newest: ProgressEvent | null };

/** The lines of one job: the models that train, at most `epochs` epochs each. */
function trainingLines(output: Output, epochs: number) {
	let training: Training | null = null;
	/** Ends the line of the models that were trained until now with what came of them. */
	const finish = (): void => {
		const ended = training;
		training = null;
		if (ended === null || ended.models.size === 0) return;
		const models = [...ended.models.values()];
		output.print((columns) => trainedLine({ name: ended.name, epochs, models }, columns));
	};
	const trainingOf = (event: ProgressEvent | EpochEvent): Training => {
		const name = nameOf(event);
		if (training?.name !== name) finish();
		training ??= { name, models: new Map(), newest: null };
		return training;
	};
	return {
		finish,
		progress(event: ProgressEvent): void {
			const now = trainingOf(event);
			now.newest = event;
			const loss = now.models.get(event.model)?.newestLoss ?? null;
			output.draw((columns) => runningLine(event, loss, columns), event.at);
		},
		epoch(event: EpochEvent): void {
			const { models } = trainingOf(event);
			models.set(event.model, afterEpoch(models.get(event.model), event));
		},
		/** Leaves a line that says how far a model came that is not trained to its end. */
		leave(): void {
			if (training === null || training.newest === null) return;
			const newest = { ...training.newest, eta_seconds: null };
			const loss = training.models.get(newest.model)?.newestLoss ?? null;
			training.newest = null;
			output.print((columns) => runningLine(newest, loss, columns));
		},
	};
}

/** Shows the jobs that are followed one after another on an output. */
export type Progress = {
	/**
	 * Shows the events of a job until they end. On a terminal one line is drawn over in place while a model trains; elsewhere there are plain lines, a few
	 * per minute. Trained models leave a line that says what came of them.
	 */
	follow(job: Pick<JobResource, 'spec'>, events: AsyncIterable<JobEvent>): Promise<void>;
};

export function progressOn(stream: NodeJS.WriteStream): Progress {
	/** The device that was shown last: a job that trains on the same one need not show it again. */
	let device: string | null = null;

	async function show(output: Output, epochs: number, events: AsyncIterable<JobEvent>): Promise<void> {
		const lines = trainingLines(output, epochs);
		const say = (text: string): void => output.print(() => `  ${text}`);
		const showEvent = (event: JobEvent): void => {
			switch (event.type) {
				case 'progress':
					return lines.progress(event);
				case 'epoch':
					return lines.epoch(event);
				case 'device': {
					const text = deviceText(event);
					if (text !== device) say(text);
					device = text;
					return;
				}
				case 'waiting':
					return say(event.reason === null ? 'goes on' : `waits: ${event.reason.message} (${event.reason.code})`);
				case 'warning':
					return say(`warning: ${event.message} (${event.code})`);
				case 'stage':
					if (event.stage === 'evaluating') lines.finish();
					return output.draw(() => `  ${event.stage}`, event.at);
				case 'status':
					if (event.status === 'succeeded') return lines.finish();
					if (event.status === 'running') return;
					lines.leave();
					if (event.error !== null) say(`${event.status}: ${event.error.message} (${event.error.code})`);
					else if (event.status === 'paused') say('paused');
					else if (event.status === 'queued' && event.attempt > 0) say(`queued again after attempt ${event.attempt}`);
			}
		};
		for await (const event of events) showEvent(event);
		lines.leave();
	}

	return {
		async follow({ spec }, events) {
			const output = stream.isTTY ? liveLine(stream) : plainLines(stream);
			try {
				await show(output, spec.training.epochs, events);
			} finally {
				output.close();
			}
		},
	};
}
