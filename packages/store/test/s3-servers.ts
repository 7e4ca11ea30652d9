import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** A server that speaks S3 on a loopback port, with one bucket in it. */
export type S3Server = { endpoint: string; bucket: string; close(): Promise<void> };

/** The folder of the programs: that of the Python environment which STEELYARD_S3_SERVERS names, else of the one that `node test/s3/bring.js` makes. */
const PROGRAMS = join(process.env['STEELYARD_S3_SERVERS'] || fileURLToPath(new URL('../../../out/s3', import.meta.url)), 'bin');
const BUCKET = 'steelyard-test';

/** What the servers accept. One that checks no signatures accepts any other, too. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'steelyard', AWS_SECRET_ACCESS_KEY: 'steelyard-secret' };

/** Sets variables of the environment, or removes those that are undefined. What is returned sets them back. */
export function useEnvironment(values: Record<string, string | undefined>): () => void {
	const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]));
	for (const [name, value] of Object.entries(values)) {
		if (value === undefined) delete process.env[name];
		else process.env[name] = value;
	}
	return () => void useEnvironment(before);
}

/** Ports that the system gives to no connection by itself: between two looks nobody else takes one of those. */
const OWN_PORTS = { first: 12_000, count: 18_000 };

/** So many free ports. */
export async function freePorts(count: number): Promise<number[]> {
	const found = new Set<number>();
	while (found.size < count) {
		const port = OWN_PORTS.first + randomInt(OWN_PORTS.count);
		const server = createServer().listen(port, '127.0.0.1');
		const isFree = await once(server, 'listening').then(
			() => true,
			() => false,
		);
		if (!isFree) continue;
		await once(server.close(), 'close');
		found.add(port);
	}
	return [...found];
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await once(child, 'exit');
}

/** Starts a program that serves at `endpoint`, and waits until `ready` is so. */
async function serve(program: string, args: string[], endpoint: string, ready: () => Promise<boolean>): Promise<S3Server> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-s3-'));
	const child = spawn(join(PROGRAMS, program), args, {
		cwd: folder,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, ...CREDENTIALS },
	});
	let words = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (chunk) => {
			words = `${words}${chunk}`.slice(-4000);
		});
	const close = async () => {
		await end(child);
		await rm(folder, { recursive: true, force: true });
	};
	while (!(await ready().catch(() => false))) {
		if (child.exitCode !== null || child.signalCode !== null) {
			await close();
			throw new Error(`${program} did not start: ${words}`);
		}
		await delay(20);
	}
	return { endpoint, bucket: BUCKET, close };
}

async function startSeaweedfs(): Promise<S3Server> {
	const [s3 = 0, filer = 0, volume = 0, master = 0, ...grpc] = await freePorts(8);
	const endpoint = `http://127.0.0.1:${s3}`;
	const ports = {
		...{ 's3.port': s3, 'filer.port': filer, 'volume.port': volume, 'master.port': master },
		...{ 's3.port.grpc': grpc[0], 'filer.port.grpc': grpc[1], 'volume.port.grpc': grpc[2], 'master.port.grpc': grpc[3] },
	};
	const args = [
		'server',
		...[
			'-ip=127.0.0.1',
			'-ip.bind=127.0.0.1',
			'-dir=.',
			'-s3',
			'-filer',
			'-iam=false',
			'-s3.autoCreateBucket=false',
			'-s3.port.iceberg=0',
			'-volume.max=50',
			'-master.volumeSizeLimitMB=64',
		],
		...Object.entries(ports).map(([name, port]) => `-${name}=${port}`),
	];
	return serve('weed', args, endpoint, () => makeBucket(endpoint));
}

async function startMoto(): Promise<S3Server> {
	const [port = 0] = await freePorts(1);
	const endpoint = `http://127.0.0.1:${port}`;
	return serve('moto_server', ['-H', '127.0.0.1', '-p', String(port)], endpoint, () => makeBucket(endpoint));
}

/** Makes the bucket, once the server takes it, and takes an object in it: a server of several parts can take the one before the other. */
async function makeBucket(endpoint: string): Promise<boolean> {
	const client = new S3Client({
		...{ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 },
		credentials: { accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID, secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY },
	});
	try {
		await client.send(new CreateBucketCommand({ Bucket: BUCKET })).catch((error: Error) => {
			if (!error.name.startsWith('BucketAlready')) throw error;
		});
		await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'ready', Body: 'yes' }));
		await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'ready' }));
		return true;
	} finally {
		client.destroy();
	}
}

/** The servers that the store is tested on; those that are absent are skipped. */
export const s3Servers: { name: string; absent: boolean; start(): Promise<S3Server> }[] = [
	{ name: 'seaweedfs', absent: !existsSync(join(PROGRAMS, 'weed')), start: startSeaweedfs },
	{ name: 'moto', absent: !existsSync(join(PROGRAMS, 'moto_server')), start: startMoto },
];
