import type { FoundList, SweepRequest, SweepResource } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { Page } from './datasets.js';

/** Sweeps of the service: many jobs, of which the best is looked for. */
export type Sweeps = {
	/** Posts a sweep, whose first trials are then queued. */
	create(sweep: SweepRequest): Promise<SweepResource>;
	/** Gives a page of sweeps without their trials, newest first. What follows is after its `next`. */
	list(page?: Page): Promise<FoundList<SweepResource>>;
	/** Gives a sweep with its trials, the best first. */
	get(id: string): Promise<SweepResource>;
	/** Starts no more trials; those that wait or run go on. */
	pause(id: string): Promise<SweepResource>;
	resume(id: string): Promise<SweepResource>;
	/** Ends a sweep and cancels its jobs. */
	cancel(id: string): Promise<SweepResource>;
	/** Removes a sweep that has ended. Its jobs stay. */
	remove(id: string): Promise<void>;
};

export function sweeps(connection: Connection): Sweeps {
	const path = (id: string) => `/v1/sweeps/${encodeURIComponent(id)}`;
	const act = async (id: string, verb: string): Promise<SweepResource> => jsonOf(await connection('POST', `${path(id)}/${verb}`));
	return {
		async create(sweep) {
			return jsonOf(await connection('POST', '/v1/sweeps', { json: sweep }));
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/sweeps', { query: page }));
		},
		async get(id) {
			return jsonOf(await connection('GET', path(id)));
		},
		pause: (id) => act(id, 'pause'),
		resume: (id) => act(id, 'resume'),
		cancel: (id) => act(id, 'cancel'),
		async remove(id) {
			await connection('DELETE', path(id));
		},
	};
}
