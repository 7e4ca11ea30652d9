import { Type } from 'typebox';
import { secretsOf } from './environment.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * The environment variables that more than one process reads, each with its default and what it does. A process composes its own schema of these and of
 * those that it alone reads. `secret` marks a value that is never shown, and never given to a process that reads what strangers upload.
 */
export const variables = {
	HOST: Type.String({
		default: '127.0.0.1',
		description: 'The address that the API listens on. Any address that other machines can reach demands `STEELYARD_API_KEY`.',
	}),
	PORT: Type.Integer({
		minimum: 0,
		maximum: 65_535,
		default: 8080,
		description: 'The port that the API listens on; 0 takes a free one.',
	}),
	STEELYARD_HOME: Type.String({
		default: './.steelyard',
		description:
			'The data folder: datasets, models, jobs and what they produce. The API and every worker use the same one, unless `STEELYARD_STORE` names another place for all that.',
	}),
	STEELYARD_API_KEY: Type.Optional(
		Type.String({
			minLength: 8,
			maxLength: 512,
			pattern: '^[!-~]*$',
			secret: true,
			description:
				'Of the API, the first admin key: 8 to 512 letters, digits and punctuation marks of ASCII, without spaces. Where it is set, every route but `/healthz`, `/readyz`, `/openapi.json` and `/docs` demands it, or a key that was made with it, as `Authorization: Bearer <key>`. Of the commands, the key that they send.',
		}),
	),
	REDIS_URL: Type.Optional(
		Type.String({
			secret: true,
			description:
				'A Redis of version 6.2 or later that evicts nothing: `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS, `unix:/path` for a socket, or `redis+sentinel://[user:password@]host[:port],host[:port]…/master[/database]` for the master that sentinels watch under this name (`rediss+sentinel://…` where both speak TLS). Unless it is set, `steelyard serve` starts a Redis of its own in the data folder.',
		}),
	),
	REDIS_CA_FILE: Type.Optional(
		Type.String({
			description:
				'A file with the certificates, as PEM, of the authorities that sign those of Redis and of its sentinels, where these are not known to everybody; for the forms of `REDIS_URL` with TLS.',
		}),
	),
	REDIS_SENTINEL_USERNAME: Type.Optional(
		Type.String({ description: 'The user as which the service logs in to the sentinels; the default one unless set.' }),
	),
	REDIS_SENTINEL_PASSWORD: Type.Optional(
		Type.String({ secret: true, description: 'The password of the sentinels, which is not that of Redis; none unless set.' }),
	),
	STEELYARD_REDIS: Type.Optional(
		Type.String({
			secret: true,
			description:
				'Set by `steelyard serve` for the processes that it starts, and by nobody else: how ioredis connects to the Redis that it has launched, as a JSON object. It wins over `REDIS_URL`.',
		}),
	),
	STEELYARD_DISK_RESERVE: Type.Optional(
		Type.Integer({
			minimum: 0,
			description:
				'The bytes of the disk of the data folder that uploads and new jobs leave to the jobs that run; with less free they are refused as `insufficient_storage`. 1 GB or 2 % of the disk, whichever is more, and at most a tenth of it, unless set.',
		}),
	),
	STEELYARD_JOB_MEMORY: Type.Optional(
		Type.Integer({
			minimum: 256 * 1024 ** 2,
			description:
				'The bytes of memory that a job may take. One whose spec would take more by the estimate is refused; unless set, one that would take more than three quarters of the memory of the largest worker (of its container, where that has less). On Linux its trainer is held to as much by the system, to nine tenths of the memory of its own machine unless set, and with a GPU to none.',
		}),
	),
	STEELYARD_PREFIX: Type.String({
		pattern: '^([A-Za-z0-9_-]{1,40}|\\{[A-Za-z0-9_-]{1,38}\\})$',
		default: 'steelyard',
		description:
			'The beginning of every key in Redis, 1 to 40 letters, digits, `_` and `-`. Installations that share a Redis need one each. On a node of a Redis Cluster in braces, such as `{steelyard}`, by which all keys are in one slot.',
	}),
	STEELYARD_PROJECT_RUNNING: Type.Optional(
		Type.Integer({
			minimum: 1,
			description:
				'The most jobs of a project that run at the same time, over all workers; further ones wait, and let those of other projects pass. The same for the API and every worker; any number unless set.',
		}),
	),
	LOG_LEVEL: Type.Unsafe<(typeof LOG_LEVELS)[number]>({
		type: 'string',
		enum: [...LOG_LEVELS],
		default: 'info',
		description: `The least severe message that is logged, as one JSON object per line on stdout: ${LOG_LEVELS.map((level) => `\`${level}\``).join(', ')}.`,
	}),
};

/** Those of OpenTelemetry that decide whether there are traces, and that hold secrets. Its library reads these and its other ones itself. */
const traceVariables = {
	OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
		Type.String({
			description:
				'Where traces go, by OTLP over HTTP, such as `http://127.0.0.1:4318`; none are made unless it or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set. The standard variables of OpenTelemetry for resource, sampler, batches and exporter hold too.',
		}),
	),
	OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Type.Optional(
		Type.String({ description: 'The same with its path, such as `http://127.0.0.1:4318/v1/traces`.' }),
	),
	OTEL_EXPORTER_OTLP_HEADERS: Type.Optional(
		Type.String({ secret: true, description: 'Headers for the collector of traces: `name=value,name=value`.' }),
	),
	OTEL_EXPORTER_OTLP_TRACES_HEADERS: Type.Optional(Type.String({ secret: true, description: 'The same, for traces alone.' })),
	OTEL_TRACES_EXPORTER: Type.Optional(Type.String({ description: 'No traces are made where it is `none`.' })),
	OTEL_SDK_DISABLED: Type.Optional(Type.String({ description: 'No traces are made where it is `true`.' })),
};

/** The variables that say where the store lies. The library of AWS reads its own, and more of them. */
export const storeVariables = {
	STEELYARD_STORE: Type.Optional(
		Type.String({
			description:
				'Where datasets, models and jobs are kept, if not in the data folder: `s3://bucket/prefix`, with `?endpoint=https://…` for a server other than that of AWS, and `region=…` and `path-style=true|false` where they are needed. The same for the API and every worker. Credentials are those that the libraries of AWS find: these variables, a profile, or the role of the machine. Each machine then has a data folder of its own, for what is under way and for copies.',
		}),
	),
	STEELYARD_CACHE_BYTES: Type.Integer({
		minimum: 0,
		default: 20 * 1024 ** 3,
		description:
			'With `STEELYARD_STORE`, the most bytes of datasets and models of which the data folder keeps copies; those that were not used for the longest time go first. A dataset that is larger cannot be trained on.',
	}),
	AWS_ACCESS_KEY_ID: Type.Optional(
		Type.String({ secret: true, description: 'The name of the credentials for the bucket of `STEELYARD_STORE`.' }),
	),
	AWS_SECRET_ACCESS_KEY: Type.Optional(Type.String({ secret: true, description: 'Their secret.' })),
	AWS_SESSION_TOKEN: Type.Optional(Type.String({ secret: true, description: 'Their token, where they hold for some time only.' })),
	AWS_REGION: Type.Optional(Type.String({ description: 'The region of a bucket of AWS, unless `STEELYARD_STORE` names it.' })),
};

/** The variables that name a Redis which runs already. */
export const redisVariables = {
	REDIS_URL: variables.REDIS_URL,
	REDIS_CA_FILE: variables.REDIS_CA_FILE,
	REDIS_SENTINEL_USERNAME: variables.REDIS_SENTINEL_USERNAME,
	REDIS_SENTINEL_PASSWORD: variables.REDIS_SENTINEL_PASSWORD,
};

/** The variables that every process of the service reads. */
export const serviceVariables = {
	STEELYARD_HOME: variables.STEELYARD_HOME,
	...storeVariables,
	...redisVariables,
	STEELYARD_REDIS: variables.STEELYARD_REDIS,
	STEELYARD_PREFIX: variables.STEELYARD_PREFIX,
	STEELYARD_PROJECT_RUNNING: variables.STEELYARD_PROJECT_RUNNING,
	LOG_LEVEL: variables.LOG_LEVEL,
	...traceVariables,
};

/** An environment of a process, of which only the schema is known that all share. */
export const ServiceEnvironment = Type.Object(serviceVariables);

/** The names of the shared variables whose values are secret. */
export const SECRET_VARIABLES: ReadonlySet<string> = new Set(
	secretsOf(Type.Object({ ...variables, ...storeVariables, ...traceVariables })),
);
