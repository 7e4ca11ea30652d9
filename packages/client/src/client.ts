import type { AuditLine, List, Readiness, Retention, Usage } from '@steelyard/contracts';
import { type ClientOptions, connect, jsonOf } from './connection.js';
import { type Datasets, datasets, type Page } from './datasets.js';
import { errorOf } from './error.js';
import { type Jobs, jobs } from './jobs.js';
import { type Keys, keys } from './keys.js';
import { type Models, models } from './models.js';
import { type Sweeps, sweeps } from './sweeps.js';
import { type Webhook, webhook } from './webhook.js';

/** What the service offers, by resource. */
export type Client = {
	datasets: Datasets;
	models: Models;
	jobs: Jobs;
	sweeps: Sweeps;
	keys: Keys;
	webhook: Webhook;
	/** Asks the service how it is. Resolves also if the service says that it is not ready. */
	ready(): Promise<Readiness>;
	/** Gives a page of the audit log, newest line first. */
	audit(page?: Page): Promise<List<AuditLine>>;
	/** Says what lies in the data folder, and how much room its disk has. */
	usage(): Promise<Usage>;
	/** Removes what is no longer kept; with `dryRun` it only says what that is. */
	retention(options?: { dryRun?: boolean }): Promise<Retention>;
};

/** Makes a client of the HTTP API. Its methods reject with SteelyardError if the service refuses a request or cannot be reached. */
export function createClient(options: ClientOptions): Client {
	const connection = connect(options);
	return {
		datasets: datasets(connection),
		models: models(connection),
		jobs: jobs(connection),
		sweeps: sweeps(connection),
		keys: keys(connection),
		webhook: webhook(connection),
		async audit(page = {}) {
			return jsonOf(await connection('GET', '/v1/audit', { query: page }));
		},
		async usage() {
			return jsonOf(await connection('GET', '/v1/usage'));
		},
		async retention({ dryRun = false } = {}) {
			return jsonOf(await connection('POST', '/v1/retention', { query: dryRun ? { dry_run: 'true' } : {} }));
		},
		async ready() {
			const response = await connection('GET', '/readyz', { accept: [503] });
			// The service sends its readiness as JSON with either status; any other 503 is a problem document, or comes from a proxy.
			if (!response.headers.get('content-type')?.startsWith('application/json')) throw await errorOf(response);
			return jsonOf<Readiness>(response);
		},
	};
}
