import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { RedisOptions } from 'ioredis';
import { startEmbedded } from './embedded-redis.js';
import { admitRedis, optionsOf } from './given-redis.js';
import { type Log, silent } from './log.js';

/** `url`: one that runs already; `binary`: a server of our own; `javascript`: the same without persistence. */
export type RedisKind = 'url' | 'binary' | 'javascript';

export type RedisHandle = {
	kind: RedisKind;
	/** What ioredis connects with; plain data, which can be sent to another process. */
	options: RedisOptions;
	/** What a user should know of this Redis. */
	note: string | null;
	/** Ends what was started, and leaves no process, socket or lock behind. */
	close(): Promise<void>;
};

export type LaunchOptions = {
	/** The data folder; an embedded Redis keeps its socket and its append-only file in `redis/` in it. */
	home: string;
	/** A Redis that runs already; `REDIS_URL` unless this or `binary` is given. */
	url?: string | undefined;
	/** Path of a redis-server or valkey-server; else `REDIS_SERVER_BIN`, else what PATH has. `null`: none, so the one in JavaScript. */
	binary?: string | null;
	env?: NodeJS.ProcessEnv;
	log?: Log;
};

const NOT_PERSISTENT =
	'No redis-server or valkey-server was found: the queue is kept by a Redis in JavaScript, in memory alone. ' +
	'Queued jobs do not survive a restart there; they are found in the data folder and queued again. ' +
	'Install redis-server, or set REDIS_URL or REDIS_SERVER_BIN, for a queue that lasts.';

function isProgram(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** The first redis-server, else the first valkey-server, on PATH. */
export function foundOnPath(env: NodeJS.ProcessEnv): string | null {
	const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
	for (const name of ['redis-server', 'valkey-server']) {
		for (const folder of folders) if (isProgram(join(folder, name))) return join(folder, name);
	}
	return null;
}

/**
 * The Redis to use: a given one, which must be of version 6.2 or later and evict nothing; else one of our own in the data folder, by a server
 * that is installed, else in JavaScript. Throws RedisUnsuitableError, HomeLockedError or RedisStartError, whose messages say what to do.
 */
export async function launchRedis({ home, env = process.env, log = silent, ...options }: LaunchOptions): Promise<RedisHandle> {
	const url = options.url ?? (options.binary === undefined ? env['REDIS_URL'] || undefined : undefined);
	if (url !== undefined) {
		const redis = optionsOf(url);
		return { kind: 'url', options: redis, note: await admitRedis(redis), close: async () => {} };
	}
	const named = options.binary ?? env['REDIS_SERVER_BIN'];
	// The server runs in its own folder, so a path must not depend on ours; a bare name is looked for on PATH.
	const program = named ? (named.includes('/') ? resolve(named) : named) : foundOnPath(env);
	const binary = options.binary === null ? null : program;
	const kind = binary === null ? 'javascript' : 'binary';
	const redis = await startEmbedded(home, binary, (how) => log.error({ redis: kind }, `Redis ${how}; it is started again`));
	const note = binary === null ? NOT_PERSISTENT : null;
	log.info({ redis: kind, ...(binary === null ? {} : { binary }), socket: redis.options.path }, 'Redis is up');
	return { kind, options: redis.options, note, close: redis.close };
}
