import { redisVariables, storeVariables, variables } from '@steelyard/service-process';
import { Type } from 'typebox';

/** The environment variables that the commands read which speak to a service. */
export const ClientEnvironment = Type.Object({
	STEELYARD_URL: Type.String({ default: 'http://127.0.0.1:8080', description: 'The address of the service that the commands speak to.' }),
	STEELYARD_API_KEY: variables.STEELYARD_API_KEY,
	STEELYARD_PROJECT: Type.Optional(
		Type.String({
			description:
				'The project that the commands work in, for who may work in several: with a key of the scope admin, or none. `default` unless set.',
		}),
	),
});

/** The environment variables that the options of `steelyard serve` stand for. */
export const ServeOptionsEnvironment = Type.Object({
	HOST: variables.HOST,
	PORT: variables.PORT,
	STEELYARD_HOME: variables.STEELYARD_HOME,
});

/** What `steelyard doctor` has to know of the configuration of the API. */
export const DoctorEnvironment = Type.Object({ STEELYARD_DISK_RESERVE: variables.STEELYARD_DISK_RESERVE });

/** The environment variables that a start of the whole service reads; the API and the worker that it starts inherit its environment. */
export const StartEnvironment = Type.Object({
	...storeVariables,
	STEELYARD_PREFIX: variables.STEELYARD_PREFIX,
	...redisVariables,
	REDIS_SERVER_BIN: Type.Optional(
		Type.String({
			description:
				'The `redis-server` or `valkey-server` that `steelyard serve` starts: a path, or a name to be found on `PATH`. Unless it is set, the first of either on `PATH`; where there is none, a Redis in JavaScript, whose queue is rebuilt from the data folder after a restart.',
		}),
	),
	LOG: Type.String({
		default: 'file',
		description: 'Where the API and the worker log: `stderr` for that of `steelyard serve`; otherwise `logs/` in the data folder.',
	}),
});
