import type { JobCurves, JobEvent } from '@steelyard/contracts';

/** The curves of a job from its events. */
export function curvesOf(events: Iterable<JobEvent>): JobCurves {
	const curves: JobCurves = { object: 'metrics', epochs: [], weights: [] };
	for (const event of events) {
		if (event.type === 'epoch') {
			const { type: _, ...epoch } = event;
			curves.epochs.push(epoch);
		} else if (event.type === 'weights') {
			const { type: _, ...weights } = event;
			curves.weights.push(weights);
		}
	}
	return curves;
}
