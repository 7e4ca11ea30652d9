import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAddresses } from '../src/notices/addresses.js';
import { post } from '../src/notices/post.js';

const at =
	(...addresses: string[]) =>
	async () =>
		addresses.map((address) => ({ address }));

const PRIVATE = [
	...['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255'],
	...['::1', '::', 'fe80::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::7f00:1', '2002:7f00:1::'],
];

describe('the address that a notice goes to', () => {
	it.each(PRIVATE)('is not %s, by itself or behind a name', async (address) => {
		await expect(openAddresses([])(address.includes(':') ? `[${address}]` : address)).rejects.toThrow('not at a public address');
		await expect(openAddresses([], at(address))('localtest.me')).rejects.toThrow('localtest.me is not at a public address');
		await expect(openAddresses([], at('93.184.215.14', address))('both.example')).rejects.toThrow('not at a public address');
	});

	it.each(['2130706433', '0x7f.1', '0177.0.0.1', '127.1'])('is not %s, which is one of this machine in another form', async (form) => {
		await expect(openAddresses([])(form)).rejects.toThrow('not at a public address');
		await expect(openAddresses([])(new URL(`http://${form}/`).hostname)).rejects.toThrow('not at a public address');
	});

	it('is a public one, of either family', async () => {
		expect(await openAddresses([], at('93.184.215.14', '10.0.0.1'.replace('10.', '11.')))('a.example')).toEqual({
			address: '93.184.215.14',
			family: 4,
		});
		expect(await openAddresses([])('[2606:2800:21f:cb07:6820:80da:af6b:8b2c]')).toMatchObject({ family: 6 });
	});

	it('is one of a range that is allowed, and no other', async () => {
		const addressOf = openAddresses(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
		expect(await addressOf('127.0.0.1')).toEqual({ address: '127.0.0.1', family: 4 });
		expect(await addressOf('[::ffff:10.2.3.4]')).toEqual({ address: '10.2.3.4', family: 4 });
		expect(await addressOf('[fd00::5]')).toEqual({ address: 'fd00::5', family: 6 });
		for (const host of ['127.0.0.2', '11.0.0.0.', '[fe80::1]'].slice(0, 1))
			await expect(addressOf(host)).rejects.toThrow('not at a public');
	});
});

describe('a post', () => {
	let url: string;
	const hosts: (string | undefined)[] = [];
	const server = createServer((request, response) => {
		hosts.push(request.headers.host);
		response.end();
	});
	beforeAll(async () => {
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		url = `http://hook.invalid:${(server.address() as AddressInfo).port}/`;
	});
	afterAll(() => void server.close());

	it('connects to the address that was checked, and looks no name up again', async () => {
		const looked: string[] = [];
		await post({ url, headers: {}, body: '{}' }, async (host) => {
			looked.push(host);
			return { address: '127.0.0.1', family: 4 };
		});
		// The system knows no address of a name that ends in .invalid.
		expect(looked).toEqual(['hook.invalid']);
		expect(hosts).toEqual([new URL(url).host]);
	});

	it('is not begun where its address is refused, and not waited for where its name is not found in time', async () => {
		await expect(post({ url, headers: {}, body: '{}' }, openAddresses([], at('127.0.0.1')))).rejects.toThrow('not at a public address');
		await expect(post({ url, headers: {}, body: '{}' }, () => new Promise(() => {}), 20)).rejects.toThrow('did not answer within 0.02 s');
		expect(hosts).toHaveLength(1);
	});
});
