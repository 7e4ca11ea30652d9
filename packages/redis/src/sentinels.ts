import type { RedisOptions } from 'ioredis';
import { onConnection } from './connection.js';
import { refusalOf } from './refusal.js';

/** What a sentinel said: that it knows where the master is, which other masters it knows, or why it could not be asked. */
type Answer =
	| { at: string; knows: true }
	| { at: string; knows: false; masters: string[] }
	| { at: string; refusal: string; error: unknown };

/** The names in the answer to SENTINEL MASTERS, which has a list of names and values in turn for each. */
const namesIn = (masters: unknown): string[] =>
	(masters as string[][]).map((fields) => fields[fields.indexOf('name') + 1] ?? '').filter((name) => name !== '');

async function ask(options: RedisOptions, { host, port }: { host?: string; port?: number }): Promise<Answer> {
	const at = `${host}:${port}`;
	const { sentinelUsername: username, sentinelPassword: password, sentinelTLS: tls, name = '' } = options;
	const own: RedisOptions = {
		...{ host, port },
		...(username === undefined ? {} : { username }),
		...(password === undefined ? {} : { password }),
		...(tls === undefined ? {} : { tls }),
	} as RedisOptions;
	try {
		return await onConnection(own, async (sentinel) => {
			const found = await sentinel.call('SENTINEL', 'get-master-addr-by-name', name);
			if (found !== null) return { at, knows: true as const };
			return { at, knows: false as const, masters: namesIn(await sentinel.call('SENTINEL', 'masters')) };
		});
	} catch (error) {
		const hasCa = tls?.ca !== undefined;
		const loginIn = 'REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD';
		return { at, error, refusal: refusalOf(error, { username, password, isSecure: tls !== undefined, hasCa, loginIn }) };
	}
}

/** Why no sentinel names the master; null where one does. `error` is that of the first that could not be asked, null where all could. */
export async function objectionOfSentinels(options: RedisOptions): Promise<{ objection: string; error: unknown } | null> {
	const answers: Answer[] = [];
	for (const sentinel of options.sentinels ?? []) {
		const answer = await ask(options, sentinel);
		if ('knows' in answer && answer.knows) return null;
		answers.push(answer);
	}
	const failed = answers.find((answer) => 'refusal' in answer);
	const told = answers.find((answer) => 'masters' in answer);
	if (told !== undefined) {
		const masters = told.masters.map((name) => JSON.stringify(name)).join(', ') || 'none';
		return { objection: `the sentinel at ${told.at} knows no master of this name; those that it knows: ${masters}`, error: null };
	}
	const objection = `no sentinel can be asked where it is: ${answers.map((answer) => ('refusal' in answer ? `${answer.at}: ${answer.refusal}` : '')).join('; ')}`;
	return { objection, error: failed?.error ?? null };
}
