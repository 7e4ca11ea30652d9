/**
 * The process of a Redis in JavaScript, on the unix socket that its argument names. It sends `ready` to the process that forked it, and ends with
 * that process.
 */
import { createRedisCommandExecutor, RedisServerState, Resp2Server } from 'js-redis-server/core';

const [socket] = process.argv.slice(2);
if (socket === undefined || process.send === undefined) throw new Error('to be forked with the path of a socket');

process.on('disconnect', () => process.exit(0));
const server = new Resp2Server({
	server: new RedisServerState(),
	executor: createRedisCommandExecutor(),
	logger: { error: (message: unknown) => process.stderr.write(`${String(message)}\n`) },
});
// The types of js-redis-server know ports only; node's own listen takes the path of a unix socket as well.
await server.listen(socket as unknown as number);
process.send('ready');
