import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * What the network between Redis and the rest does. `open`: it carries. `away`: it cuts every connection. `stalled`: it carries nothing, and later all that was
 * sent meanwhile. `half-open`: it loses what is sent and cuts nothing, so that connections of that time stay dead. `loading`: Redis answers that it still loads.
 * @typedef {'open' | 'away' | 'stalled' | 'half-open' | 'loading'} Network
 */

const LOADING = '-LOADING Redis is loading the dataset in memory\r\n';
const INFO = 'loading:1\r\nloading_eta_seconds:1\r\n';

/** Where the first command in the bytes ends, and its name; null where it is not whole yet. Clients send arrays of bulk strings. */
function firstCommand(/** @type {Buffer} */ bytes) {
	let at = 0;
	const number = () => {
		const end = bytes.indexOf('\r\n', at);
		if (end < 0) return null;
		const value = Number(bytes.toString('latin1', at + 1, end));
		at = end + 2;
		return value;
	};
	const count = number();
	if (count === null) return null;
	let name = '';
	for (let i = 0; i < count; i++) {
		const length = number();
		if (length === null || at + length + 2 > bytes.length) return null;
		if (i === 0) name = bytes.toString('latin1', at, at + length).toUpperCase();
		at += length + 2;
	}
	return { name, end: at };
}

/** Answers every command of a connection as a Redis that loads its data. */
function answerLoading(/** @type {import('node:net').Socket} */ client) {
	let rest = Buffer.alloc(0);
	client.on('data', (chunk) => {
		rest = Buffer.concat([rest, chunk]);
		for (let command = firstCommand(rest); command !== null; command = firstCommand(rest)) {
			rest = rest.subarray(command.end);
			client.write(command.name === 'INFO' ? `$${INFO.length}\r\n${INFO}\r\n` : LOADING);
		}
	});
}

/** Stands between Redis and those who use it, at an address of its own. `target`: how to connect to Redis. */
export async function openProxy(/** @type {import('ioredis').RedisOptions} */ target) {
	/** @type {Network} */
	let network = 'open';
	/** @type {Set<{ client: import('node:net').Socket, server: import('node:net').Socket | null, lost: boolean }>} */
	const pairs = new Set();

	/** Carries from one end to the other while the network does. */
	const carry = (/** @type {any} */ pair, /** @type {import('node:net').Socket} */ from, /** @type {import('node:net').Socket} */ to) => {
		from.on('data', (chunk) => pair.lost || to.write(chunk));
		from.on('end', () => pair.lost || to.end());
	};
	const listener = createServer((client) => {
		client.on('error', () => {});
		if (network === 'away') {
			client.destroy();
			return;
		}
		const server = network === 'loading' ? null : connect(/** @type {any} */ (target));
		const pair = { client, server, lost: network === 'half-open' };
		pairs.add(pair);
		client.once('close', () => {
			pairs.delete(pair);
			server?.destroy();
		});
		if (server === null) {
			answerLoading(client);
			return;
		}
		server.on('error', () => client.destroy());
		server.once('close', () => pair.lost || client.destroy());
		carry(pair, client, server);
		carry(pair, server, client);
		if (network === 'stalled') for (const end of [client, server]) end.pause();
	});
	const cut = () => {
		for (const { client } of pairs) client.destroy();
	};
	listener.listen(0, '127.0.0.1');
	await once(listener, 'listening');
	const { port } = /** @type {import('node:net').AddressInfo} */ (listener.address());

	return {
		/** How to connect through it. */
		options: { host: '127.0.0.1', port },
		/** Changes what the network does. */
		become(/** @type {Network} */ next) {
			// A server that loads has been started anew, and so is one that has loaded.
			if (next === 'away' || next === 'loading' || network === 'loading') cut();
			for (const { client, server } of pairs) for (const end of [client, server]) end?.[next === 'stalled' ? 'pause' : 'resume']();
			// What is sent to nobody is lost with all that follows it.
			if (next === 'half-open') for (const pair of pairs) pair.lost = true;
			network = next;
		},
		async close() {
			listener.close();
			cut();
			await once(listener, 'close');
		},
	};
}
