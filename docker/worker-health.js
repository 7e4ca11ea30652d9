// The worker's health check: exit code 0 when Redis, from which it takes its jobs and to which it reports, answers, or one of the sentinels that say where it is.
// Whether the process lives needs no check: the container ends with it.
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { connect as connectSecure } from 'node:tls';

const { REDIS_URL: url = '', REDIS_CA_FILE: caFile } = process.env;

/** Where to ask, and whether by TLS. */
function asked() {
	const [, scheme = '', hosts = ''] = /^(rediss?)\+sentinel:\/\/(?:[^/]*@)?([^/]*)/.exec(url) ?? [];
	if (scheme === '') {
		const { protocol, pathname, hostname, port } = new URL(url);
		const to =
			protocol === 'unix:'
				? { path: decodeURIComponent(pathname) }
				: { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
		return { isSecure: protocol === 'rediss:', all: [to] };
	}
	const all = hosts.split(',').map((host) => {
		const { hostname, port } = new URL(`redis://${host}`);
		return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 26_379) };
	});
	return { isSecure: scheme === 'rediss', all };
}

const { isSecure, all } = asked();
const ca = caFile ? { ca: readFileSync(caFile) } : {};
let left = all.length;
for (const to of all) {
	const socket = isSecure ? connectSecure({ ...to, ...ca }) : connectPlain(to);
	/** @param {string} why */
	const fail = (why) => {
		process.stderr.write(`${why}\n`);
		socket.destroy();
		if (--left === 0) process.exit(1);
	};
	// The answer is +PONG, or an error. One that asks for a password comes from a Redis in health, one that it still loads its data does not.
	socket.once('data', (answer) => {
		const text = answer.toString('latin1');
		if (/^(\+PONG|-NOAUTH)/.test(text)) process.exit(0);
		fail(text);
	});
	socket.once('error', (error) => fail(error.message));
	socket.write('PING\r\n');
}
