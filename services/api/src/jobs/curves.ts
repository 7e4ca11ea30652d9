import type { JobCurves, JobEvent } from '@steelyard/contracts';

/** Makes the curves of a job from its events, in the form in which the trainer writes `metrics.json`. */
export function curvesOf(events: Iterable<JobEvent>): JobCurves {
	const curves: JobCurves = { object: 'metrics', epochs: [], weights: [] };
	for (const event of events) {
		if (event.type === 'epoch') {
			const { id: _id, at: _at, type: _type, ...point } = event;
			curves.epochs.push(point);
		} else if (event.type === 'weights') {
			const { id: _id, at: _at, type: _type, ...point } = event;
			curves.weights.push(point);
		}
	}
	return curves;
}
