import type { JobError } from '@steelyard/contracts';
import type { Session } from '@steelyard/runtime';
import { whenPossible } from '@steelyard/store';
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

/** Does what writes to the disk; where that is full, says so by an event and waits until there is room. Throws Stopped where the job is asked to stop meanwhile. */
export async function withRoom<T>({ stopped, emit }: Pick<TrainOptions, 'stopped' | 'emit'>, write: () => Promise<T>): Promise<T> {
	let waits = false;
	const waiting = (reason: JobError | null) => {
		waits = reason !== null;
		emit({ type: 'waiting', reason });
	};
	try {
		return await whenPossible(write, { stopped, waiting });
	} catch (error) {
		throw waits ? new Stopped() : error;
	}
}
