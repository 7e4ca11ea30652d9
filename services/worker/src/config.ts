import { LABEL, MOST_LABELS } from '@steelyard/contracts';
import {
	type ChildLimits,
	readEnvironment,
	type ServiceConfig,
	serviceConfigOf,
	serviceVariables,
	type Variables,
	variables,
} from '@steelyard/service-process';
import { type Static, Type } from 'typebox';
import { type InspectionLimits, LIMITS } from './inspect-process.js';
import { PREDICTION } from './predict-process.js';

/** The pattern of one label, which stands in that of several. */
const ONE = LABEL.slice(1, -1);

/** The environment variables that a worker reads. */
export const Environment = Type.Object({
	...serviceVariables,
	STEELYARD_CONCURRENCY: Type.Integer({
		minimum: 1,
		maximum: 64,
		default: 1,
		description:
			'How many jobs a worker trains at the same time, each in a process of its own, 1 to 64. A worker with CUDA trains one at a time.',
	}),
	STEELYARD_LABELS: Type.String({
		pattern: `^(${ONE}(,${ONE}){0,${MOST_LABELS - 1}})?$`,
		default: '',
		description:
			'What a worker is called by jobs that ask for some workers alone, by `requires.labels`: up to 16 labels with commas between them, such as `gpu-large,site=berlin`.',
	}),
	STEELYARD_JOB_MEMORY: variables.STEELYARD_JOB_MEMORY,
	STEELYARD_JOB_SECONDS: Type.Optional(
		Type.Integer({
			minimum: 1,
			description:
				'The seconds for which a job may run, in all its attempts together; one that takes longer fails as `time_limit`. The `max_seconds` of its spec counts where it is less; nothing else limits a job unless set.',
		}),
	),
	STEELYARD_INSPECT_SECONDS: Type.Integer({
		minimum: 1,
		maximum: 3600,
		default: LIMITS.ms / 1000,
		description: 'The seconds that the inspection of an uploaded model may take, 1 to 3600; a model that takes longer is refused.',
	}),
	STEELYARD_INSPECT_MEMORY: Type.Integer({
		minimum: 256 * 1024 ** 2,
		default: LIMITS.bytes,
		description:
			'The bytes of memory that the inspection of an uploaded model may take; a model that takes more is refused. The system holds the process to it on Linux, the JavaScript heap to half of it; elsewhere only the heap is held to it.',
	}),
	STEELYARD_PREDICT_SECONDS: Type.Integer({
		minimum: 1,
		maximum: 100,
		default: PREDICTION.ms / 1000,
		description: 'The seconds that a request for predictions may take, 1 to 100; one that takes longer is refused.',
	}),
	STEELYARD_PREDICT_MEMORY: Type.Integer({
		minimum: 256 * 1024 ** 2,
		default: PREDICTION.bytes,
		description:
			'The bytes of memory that the process of a worker may take which predicts, with all the models that it keeps ready, for which it uses up to half. It is held to it as the inspection of a model is.',
	}),
});

export type Config = ServiceConfig & {
	/** Jobs at one time. */
	concurrency: number;
	/** By which jobs ask for it, each once. */
	labels: string[];
	/** The bytes of memory that the trainer of one job may take; null for what suits the machine. */
	jobMemory: number | null;
	/** The seconds for which a job may run; null for what its spec says. */
	jobSeconds: number | null;
	/** What the inspection of one uploaded model may take. */
	inspection: InspectionLimits;
	/** What a request for predictions may take. */
	prediction: ChildLimits;
};

/** The configuration that variables make. Throws ConfigError. */
export const configOf = (values: Static<typeof Environment>): Config => ({
	...serviceConfigOf(values),
	concurrency: values.STEELYARD_CONCURRENCY,
	labels: [...new Set(values.STEELYARD_LABELS.split(',').filter((label) => label !== ''))],
	jobMemory: values.STEELYARD_JOB_MEMORY ?? null,
	jobSeconds: values.STEELYARD_JOB_SECONDS ?? null,
	inspection: { ms: values.STEELYARD_INSPECT_SECONDS * 1000, bytes: values.STEELYARD_INSPECT_MEMORY },
	prediction: { ms: values.STEELYARD_PREDICT_SECONDS * 1000, bytes: values.STEELYARD_PREDICT_MEMORY },
});

/** Reads the environment. Throws ConfigError. */
export const readConfig = (env: Variables): Config => configOf(readEnvironment(Environment, env));
