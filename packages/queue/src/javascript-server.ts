/**
 * A Redis in JavaScript as a process of its own, on the unix socket that its argument names. Says `ready` over IPC, and ends with whoever
 * forked it.
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
// Its types know ports only; node's own listen takes the path of a unix socket as well.
await server.listen(socket as unknown as number);
process.send('ready');
