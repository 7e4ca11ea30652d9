// The worker's health check: exit code 0 when Redis, from which it takes its jobs and to which it reports, answers.
// Whether the process lives needs no check: the container ends with it.
import { connect as connectPlain } from 'node:net';
import { connect as connectSecure } from 'node:tls';

const address = new URL(process.env.REDIS_URL);
const to =
	address.protocol === 'unix:'
		? { path: decodeURIComponent(address.pathname) }
		: { host: address.hostname, port: Number(address.port || 6379), servername: address.hostname };
const socket = address.protocol === 'rediss:' ? connectSecure(to) : connectPlain(to);

// The answer is +PONG, or an error. One that asks for a password comes from a Redis in health, one that it still loads its data does not.
socket.once('data', (answer) => process.exit(/^(\+PONG|-NOAUTH)/.test(answer.toString('latin1')) ? 0 : 1));
socket.once('error', (error) => {
	process.stderr.write(`${error.message}\n`);
	process.exit(1);
});
socket.write('PING\r\n');
