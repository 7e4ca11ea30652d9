import type { Session } from '@steelyard/runtime';
import type { TrainOptions } from './face.js';

type Stoppable = Pick<TrainOptions, 'stopped'>;

/** Thrown where a job is asked to stop at a place at which there is nothing to keep; the job goes on from its last checkpoint. */
export class Stopped extends Error {
	override readonly name = 'Stopped';

	constructor() {
		super('the job was asked to stop');
	}
}

export function throwIfStopped({ stopped }: Stoppable): void {
	if (stopped()) throw new Stopped();
}

/** The same session, whose runs throw Stopped once the job is asked to stop. */
export const stoppable = (session: Session, job: Stoppable): Session => ({
	...session,
	run(feeds, fetches) {
		throwIfStopped(job);
		return session.run(feeds, fetches);
	},
});
