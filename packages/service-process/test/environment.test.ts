import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { ConfigError, readEnvironment, SECRET_VARIABLES, shownEnvironment } from '../src/index.js';

const Environment = Type.Object({
	WARD: Type.String({ default: 'three' }),
	BEDS: Type.Integer({ minimum: 1, default: 12 }),
	PASSPHRASE: Type.Optional(Type.String({ minLength: 8, secret: true })),
});

describe('an environment', () => {
	it('is read with the defaults of its schema, and nothing else is', () => {
		expect(readEnvironment(Environment, { BEDS: '3', PATH: '/bin' })).toEqual({ WARD: 'three', BEDS: 3 });
	});

	it('has a variable that is set but empty as one that is not set', () => {
		expect(readEnvironment(Environment, { BEDS: '', PASSPHRASE: '' })).toEqual({ WARD: 'three', BEDS: 12 });
	});

	it.each([
		[{ BEDS: 'many' }, /^BEDS must be integer, found "many"$/],
		[{ BEDS: '0' }, /^BEDS must be >= 1, found 0$/],
	])('is refused with %j by the name of the variable, what was expected and what was found', (variables, message) => {
		expect(() => readEnvironment(Environment, variables)).toThrow(ConfigError);
		expect(() => readEnvironment(Environment, variables)).toThrow(message);
	});

	it('is refused without showing a secret', () => {
		expect(() => readEnvironment(Environment, { PASSPHRASE: 'hush' })).toThrow(/^PASSPHRASE must not have fewer than 8 characters$/);
	});

	it('is shown with what was read, and of a secret only that it is set', () => {
		const shown = (variables: Record<string, string>) => shownEnvironment(Environment, readEnvironment(Environment, variables));
		expect(shown({ PASSPHRASE: 'hush hush' })).toEqual({ WARD: 'three', BEDS: 12, PASSPHRASE: 'set, not shown' });
		expect(shown({})).toEqual({ WARD: 'three', BEDS: 12 });
	});
});

it('the key of the API, both ways to name a Redis, which can hold a password, that of its sentinels, the credentials for a bucket, and what a collector of traces is sent are secret', () => {
	expect([...SECRET_VARIABLES].sort()).toEqual([
		'AWS_ACCESS_KEY_ID',
		'AWS_SECRET_ACCESS_KEY',
		'AWS_SESSION_TOKEN',
		'OTEL_EXPORTER_OTLP_HEADERS',
		'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
		'REDIS_SENTINEL_PASSWORD',
		'REDIS_URL',
		'STEELYARD_API_KEY',
		'STEELYARD_REDIS',
	]);
});
