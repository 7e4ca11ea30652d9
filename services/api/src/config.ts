import { isIP } from 'node:net';
import {
	type ChildLimits,
	ConfigError,
	readEnvironment,
	type ServiceConfig,
	serviceConfigOf,
	serviceVariables,
	type Variables,
	variables,
} from '@steelyard/service-process';
import { type Static, Type } from 'typebox';
import { READING } from './datasets/reader.js';
import type { RetentionLimits } from './housekeeping/retention.js';
import type { JobBounds } from './jobs/admission.js';
import { LIMITS, type Limits } from './keys/limits.js';
import { isRange } from './notices/addresses.js';

/** The most multiply-adds of a job, unless given. */
export const JOB_WORK = 1e18;

/** The most jobs of a project that have not ended, unless given. */
export const PROJECT_QUEUED = 10_000;

/** The environment variables that the API reads. */
export const Environment = Type.Object({
	HOST: variables.HOST,
	PORT: variables.PORT,
	STEELYARD_API_KEY: variables.STEELYARD_API_KEY,
	...serviceVariables,
	STEELYARD_UPLOAD_LIMIT: Type.Integer({
		minimum: 1,
		default: 2 * 1024 ** 3,
		description: 'The most bytes that one uploaded dataset may have.',
	}),
	STEELYARD_DATASET_SECONDS: Type.Integer({
		minimum: 1,
		maximum: 86_400,
		default: READING.ms / 1000,
		description: 'The seconds that reading and checking an uploaded dataset may take, 1 to 86,400; one that takes longer is refused.',
	}),
	STEELYARD_DATASET_MEMORY: Type.Integer({
		minimum: 256 * 1024 ** 2,
		default: READING.bytes,
		description:
			'The bytes of memory that reading and checking an uploaded dataset may take; one that takes more is refused. The system holds the process to it on Linux, the JavaScript heap to half of it; elsewhere only the heap is held to it.',
	}),
	STEELYARD_MODEL_LIMIT: Type.Integer({
		minimum: 1,
		default: 1024 ** 3,
		description: 'The most bytes that one uploaded model may have.',
	}),
	STEELYARD_DISK_RESERVE: variables.STEELYARD_DISK_RESERVE,
	STEELYARD_KEEP_DAYS: Type.Optional(
		Type.Number({
			minimum: 0,
			description: 'The days for which jobs that have ended are kept, before they are deleted; for ever unless set.',
		}),
	),
	STEELYARD_KEEP_JOBS: Type.Optional(
		Type.Integer({ minimum: 0, description: 'How many jobs that have ended are kept, the last ones first; all of them unless set.' }),
	),
	STEELYARD_KEEP_BYTES: Type.Optional(
		Type.Integer({
			minimum: 0,
			description: 'The bytes of files of jobs that have ended which are kept, those of the last ones first; all of them unless set.',
		}),
	),
	STEELYARD_PROJECT_QUEUED: Type.Integer({
		minimum: 1,
		default: PROJECT_QUEUED,
		description:
			'The most jobs of a project that have not ended: queued, running and paused ones. A further one is refused as `quota_exceeded`.',
	}),
	STEELYARD_PROJECT_BYTES: Type.Optional(
		Type.Integer({
			minimum: 1,
			description:
				'The bytes of datasets, models and jobs, with all their files, from which on the uploads of a project are refused as `quota_exceeded`; any number unless set.',
		}),
	),
	STEELYARD_RATE: Type.Integer({
		minimum: 1,
		default: LIMITS.rate,
		description:
			'The requests that each key may send in a minute; more are refused as `too_many_requests`. It is counted by each process of the API for itself. Where no key is needed there is no limit.',
	}),
	STEELYARD_PROXIES: Type.Optional(
		Type.String({
			maxLength: 2000,
			description:
				'The addresses of proxies in front of the API, such as `10.0.0.7` or `10.0.0.0/24`, with commas between them. Of what comes from there, `X-Forwarded-For` says which client it is of, for limits and for the audit log.',
		}),
	),
	STEELYARD_WEBHOOK_NETWORKS: Type.Optional(
		Type.String({
			maxLength: 2000,
			description:
				'The addresses that are not public to which notices of ended jobs may go all the same, such as `127.0.0.1` or `10.0.0.0/24`, with commas between them. Whoever may post a job can have requests sent there.',
		}),
	),
	STEELYARD_JOB_MEMORY: variables.STEELYARD_JOB_MEMORY,
	STEELYARD_JOB_CHECKPOINT_BYTES: Type.Optional(
		Type.Integer({
			minimum: 1,
			description:
				'The bytes that the checkpoints of a job may take at the same time by the estimate made of its spec; one whose would take more is refused. Any unless set.',
		}),
	),
	STEELYARD_JOB_WORK: Type.Number({
		minimum: 1e9,
		default: JOB_WORK,
		description:
			'The multiply-adds that a job may take in all its epochs by the estimate made of its spec; one that would take more is refused. A core does about 10^10 in a second.',
	}),
});

export type Config = ServiceConfig & {
	host: string;
	/** 0 takes a free one. */
	port: number;
	/** null: no request needs a key. */
	apiKey: string | null;
	/** The most bytes of one uploaded dataset. */
	uploadLimit: number;
	/** What reading one uploaded dataset may take. */
	reading: ChildLimits;
	/** The most bytes of one uploaded model. */
	modelLimit: number;
	/** The bytes of the disk that are kept for running jobs; null where that follows from its size. */
	reserve: number | null;
	/** Which jobs that have ended are kept. */
	retention: RetentionLimits;
	/** The most jobs of a project that have not ended. */
	projectQueued: number;
	/** The bytes of files that a project may have; null for any number. */
	projectBytes: number | null;
	/** Addresses and ranges of proxies that say which client a request is of. */
	proxies: string[];
	/** Addresses and ranges that are not public, to which notices may go. */
	webhookNetworks: string[];
	/** What one key may take of the service. */
	limits: Partial<Limits>;
	/** What one job may take. */
	job: JobBounds;
};

/** Whether only this machine can reach an address. */
export const isLoopback = (host: string): boolean =>
	host === 'localhost' ||
	host.endsWith('.localhost') ||
	host === '::1' ||
	host === '[::1]' ||
	(isIP(host) === 4 && host.startsWith('127.'));

/** What stands between the commas of a list. */
const partsOf = (list: string): string[] => list.split(',').flatMap((one) => one.trim() || []);

/** The addresses and ranges of a list. Throws ConfigError. */
function networksIn(list: string): string[] {
	const networks = partsOf(list);
	for (const network of networks)
		if (!isRange(network))
			throw new ConfigError(`STEELYARD_WEBHOOK_NETWORKS must be addresses or ranges such as 10.0.0.0/24, found "${network}"`);
	return networks;
}

/** The addresses and ranges of a list. Throws ConfigError. */
function proxiesIn(list: string): string[] {
	const proxies = partsOf(list);
	for (const proxy of proxies) {
		const [address = '', bits, ...rest] = proxy.split('/');
		const most = isIP(address) === 4 ? 32 : 128;
		if (isIP(address) === 0 || rest.length > 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)))
			throw new ConfigError(`STEELYARD_PROXIES must be addresses or ranges such as 10.0.0.0/24, found "${proxy}"`);
	}
	return proxies;
}

/** The configuration that variables make. Throws ConfigError for an address that other machines can reach without a key. */
export function configOf(values: Static<typeof Environment>): Config {
	const apiKey = values.STEELYARD_API_KEY ?? null;
	if (apiKey === null && !isLoopback(values.HOST)) {
		throw new ConfigError(`HOST=${values.HOST} can be reached from other machines: set STEELYARD_API_KEY, or keep HOST=127.0.0.1`);
	}
	return {
		...serviceConfigOf(values),
		host: values.HOST,
		port: values.PORT,
		apiKey,
		uploadLimit: values.STEELYARD_UPLOAD_LIMIT,
		reading: { ms: values.STEELYARD_DATASET_SECONDS * 1000, bytes: values.STEELYARD_DATASET_MEMORY },
		modelLimit: values.STEELYARD_MODEL_LIMIT,
		reserve: values.STEELYARD_DISK_RESERVE ?? null,
		retention: {
			days: values.STEELYARD_KEEP_DAYS ?? null,
			count: values.STEELYARD_KEEP_JOBS ?? null,
			bytes: values.STEELYARD_KEEP_BYTES ?? null,
		},
		projectQueued: values.STEELYARD_PROJECT_QUEUED,
		projectBytes: values.STEELYARD_PROJECT_BYTES ?? null,
		proxies: proxiesIn(values.STEELYARD_PROXIES ?? ''),
		webhookNetworks: networksIn(values.STEELYARD_WEBHOOK_NETWORKS ?? ''),
		limits: { rate: values.STEELYARD_RATE },
		job: {
			memory: values.STEELYARD_JOB_MEMORY ?? null,
			work: values.STEELYARD_JOB_WORK,
			checkpoints: values.STEELYARD_JOB_CHECKPOINT_BYTES ?? null,
		},
	};
}

/** Reads the environment. Throws ConfigError. */
export const readConfig = (env: Variables): Config => configOf(readEnvironment(Environment, env));
