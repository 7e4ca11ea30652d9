import { type JobEventBody, type JobResource, projectOf } from '@steelyard/contracts';
import type { Span, Traces } from '@steelyard/service-process';

/** How an attempt ended, as metrics and traces say it; `crashed` where the job is tried again because its trainer crashed, or Redis or the disk was away. */
export type AttemptOutcome = 'succeeded' | 'failed' | 'stopped' | 'crashed';

/** The spans of one attempt: the attempt itself, in it the stages of its trainer, and in these the refreshes of the training weights. */
export type AttemptTrace = {
	/** Takes what its trainer reports. */
	event(event: JobEventBody): void;
	/** `error`: the code of what went wrong. */
	end(how: AttemptOutcome, error?: string): void;
};

/** Begins the spans of an attempt, in the trace of the request that posted the job; none where the worker is not traced. */
export function traceAttempt(traces: Traces | null, job: JobResource): AttemptTrace {
	if (traces === null) return { event() {}, end() {} };
	const attempt = traces.begin('process training', job.traceparent, {
		kind: 'consumer',
		attributes: {
			'messaging.system': 'bullmq',
			'messaging.operation.name': 'process',
			'messaging.operation.type': 'process',
			'messaging.destination.name': 'training',
			'messaging.message.id': job.id,
			'steelyard.job.attempt': job.attempt,
			'steelyard.project': projectOf(job),
		},
	});
	let stage: Span | null = null;
	return {
		event(event) {
			if (event.type === 'stage') {
				stage?.end();
				stage = attempt.child(event.stage);
			} else if (event.type === 'device') attempt.set({ 'steelyard.device': event.provider });
			else if (event.type === 'weights') {
				const startedAt = Date.now() - event.seconds * 1000;
				stage?.child('refresh weights', { startedAt, attributes: { 'steelyard.epoch': event.epoch } }).end();
			}
		},
		end(how, error) {
			stage?.end(error);
			attempt.set({ 'steelyard.attempt.end': how });
			attempt.end(error);
		},
	};
}
