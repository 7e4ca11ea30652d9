import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { RedisOptions } from 'ioredis';
import { startEmbedded } from './embedded.js';
import { admitRedis } from './given.js';
import { type Log, silent } from './log.js';
import { addressOf } from './url.js';

/** `url`: one that ran already, as REDIS_URL names it; `binary`: a server program of our own; `javascript`: the server in JavaScript, which keeps nothing on disk. */
export type RedisKind = 'url' | 'binary' | 'javascript';

export type RedisHandle = {
	kind: RedisKind;
	/** What ioredis connects with; plain data, which can be sent to another process. */
	options: RedisOptions;
	/** What a user should know of this Redis, or null. */
	note: string | null;
	/** Ends what was started, and leaves no process, socket or lock behind. */
	close(): Promise<void>;
};

export type LaunchOptions = {
	/** The data folder; a Redis of our own keeps its socket and its append-only file in `redis/` in it. */
	home: string;
	/** How to connect to a Redis that runs already, which is then used. */
	given?: RedisOptions | undefined;
	/** What the keys begin with, which a given Redis must suit where it is a node of a cluster; `steelyard` unless given. */
	prefix?: string;
	/** A redis-server or valkey-server: a path, or a name to be found on PATH. Unless given, the first that PATH has. `null`: the one in JavaScript. */
	binary?: string | null | undefined;
	/** The environment of a server of our own, which is looked for in the folders of its PATH; that of this process unless given. */
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

/** The first redis-server, else the first valkey-server, in the folders of a PATH; null where there is neither. */
export function serverOnPath(path = process.env['PATH'] ?? ''): string | null {
	const folders = path.split(delimiter).filter((folder) => folder !== '');
	for (const name of ['redis-server', 'valkey-server']) {
		for (const folder of folders) if (isProgram(join(folder, name))) return join(folder, name);
	}
	return null;
}

/** The server to start: one that is named by a path must not depend on the working folder, for the server gets its own. */
function programOf(binary: LaunchOptions['binary'], path: string): string | null {
	if (binary === undefined) return serverOnPath(path);
	return binary?.includes('/') ? resolve(binary) : binary;
}

/**
 * The Redis to use: the given one, which must be of version 6.2 or later and evict nothing; else one of our own in the data folder.
 * Throws RedisUnsuitableError, HomeLockedError or RedisStartError, whose messages say what to do.
 */
export async function launchRedis({ home, given, prefix, binary, env = process.env, log = silent }: LaunchOptions): Promise<RedisHandle> {
	if (given !== undefined) return { kind: 'url', options: given, note: await admitRedis(given, prefix), close: async () => {} };
	const program = programOf(binary, env['PATH'] ?? '');
	const kind = program === null ? 'javascript' : 'binary';
	const { options, close } = await startEmbedded({
		...{ home, env, binary: program },
		died: (how) => log.error({ redis: kind }, `Redis ${how}; it is started again`),
	});
	log.info({ redis: kind, ...(program === null ? {} : { binary: program }), socket: addressOf(options) }, 'Redis is up');
	return { kind, options, note: program === null ? NOT_PERSISTENT : null, close };
}
