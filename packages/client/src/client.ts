import type { Readiness } from '@steelyard/contracts';
import { type ClientOptions, connect, jsonOf } from './connection.js';
import { type Datasets, datasets } from './datasets.js';
import { errorOf } from './error.js';
import { type Jobs, jobs } from './jobs.js';
import { type Models, models } from './models.js';

export type Client = {
	datasets: Datasets;
	models: Models;
	jobs: Jobs;
	/** What the service says of itself, also where it says that it is not ready. */
	ready(): Promise<Readiness>;
};

/** A client of the HTTP API. Every refusal and every failure to reach it is a SteelyardError. */
export function createClient(options: ClientOptions): Client {
	const connection = connect(options);
	return {
		datasets: datasets(connection),
		models: models(connection),
		jobs: jobs(connection),
		async ready() {
			const response = await connection('GET', '/readyz', { accept: [503] });
			// Both answers of a service carry its readiness; any other 503 is a proxy's, or a problem.
			if (!response.headers.get('content-type')?.startsWith('application/json')) throw await errorOf(response);
			return jsonOf<Readiness>(response);
		},
	};
}
