// The worker's health check: exit code 0 when Redis, from which it takes its jobs and to which it reports, answers.
// That the process lives is the container's own affair: it ends with it.
import { connect as connectPlain } from 'node:net';
import { connect as connectSecure } from 'node:tls';

const address = new URL(process.env.REDIS_URL);
const to = { host: address.hostname, port: Number(address.port || 6379), servername: address.hostname };
const socket = address.protocol === 'rediss:' ? connectSecure(to) : connectPlain(to);

// The answer is +PONG, or an error where Redis wants a password first or still loads its data: only the latter is not health.
socket.once('data', (answer) => process.exit(/^(\+PONG|-NOAUTH)/.test(answer.toString('latin1')) ? 0 : 1));
socket.once('error', (error) => {
	process.stderr.write(`${error.message}\n`);
	process.exit(1);
});
socket.write('PING\r\n');
