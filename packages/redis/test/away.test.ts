import { expect, it } from 'vitest';
import { connect, isRedisAway } from '../src/index.js';
import { freePort } from './servers.js';

it('Redis is away for a command to where nothing listens', async () => {
	const redis = connect({ host: '127.0.0.1', port: await freePort() }, { maxRetriesPerRequest: 0 });
	redis.on('error', () => {});
	expect(isRedisAway(await redis.get('key').catch((error: unknown) => error))).toBe(true);
	redis.disconnect();
});

it.each([
	['LOADING Redis is loading the dataset in memory', true],
	['EXECABORT Transaction discarded because of previous errors.', true],
	['READONLY You can’t write against a read only replica.', true],
	['MASTERDOWN Link with MASTER is down', true],
	["OOM command not allowed when used memory > 'maxmemory'.", true],
	["ERR Error running script (call to f_1): @user_script:5: -OOM command not allowed when used memory > 'maxmemory'", true],
	['MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.', true],
	['NOAUTH Authentication required.', true],
	['WRONGTYPE Operation against a key holding the wrong kind of value', false],
])('that a server answers %j means that Redis is away: %s', (answer, away) => {
	expect(isRedisAway(Object.assign(new Error(answer), { name: 'ReplyError' }))).toBe(away);
});

it('Redis is away for a command on a connection that was closed', async () => {
	const redis = connect({ host: '127.0.0.1', port: 1 }, { lazyConnect: true });
	redis.disconnect();
	expect(isRedisAway(await redis.get('key').catch((error: unknown) => error))).toBe(true);
});

it('an error of our own says nothing of Redis', () => {
	expect(isRedisAway(new TypeError('x is not a function'))).toBe(false);
	expect(isRedisAway('Connection is closed.')).toBe(false);
});
