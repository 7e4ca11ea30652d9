import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ProblemError } from '@steelyard/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
	auditKeys,
	datasetKeys,
	filesAsCopies,
	type IdentityOf,
	jobKeys,
	modelKeys,
	openS3Store,
	openStore,
	type Patience,
	type Store,
	type StoreFiles,
	s3AddressOf,
} from '../src/index.js';
import { CREDENTIALS, type S3Server, s3Servers, useEnvironment } from './s3-servers.js';

const digestOf = (text: string) => ({ bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') });
const DATASET = datasetKeys.folder('ds_1');
const RECORD = 'dataset.json';
const ARRAYS = { 'a.npy': 'one', 'b.npy': 'two', [RECORD]: '{"id":"ds_1"}' };

let temporary: string;
beforeEach(async () => {
	temporary = await mkdtemp(join(tmpdir(), 'steelyard-files-'));
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

/** Writes files below a folder, which is made where it is absent. */
async function write(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
	for (const [name, text] of Object.entries(texts)) {
		await mkdir(dirname(join(folder, name)), { recursive: true });
		await writeFile(join(folder, name), text);
	}
}
/** The files of a folder with their texts. */
async function textsIn(folder: string): Promise<Record<string, string>> {
	const names = await readdir(folder);
	return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])));
}
async function publish(files: StoreFiles, texts: Readonly<Record<string, string>> = ARRAYS, prefix = DATASET, record = RECORD) {
	const folder = join(files.uploads, 'arriving');
	await write(folder, texts);
	await files.publish(folder, prefix, record);
}
const isThere = (path: string) =>
	access(path).then(
		() => true,
		() => false,
	);
const noTrouble = (error: unknown) => {
	throw error;
};

/** What all files of a store must do, wherever it lies. */
function filesSuite(open: () => Promise<{ store: Store; files: StoreFiles }>): void {
	let store: Store;
	let files: StoreFiles;
	beforeEach(async () => {
		({ store, files } = await open());
	});
	const textOf = async (key: string) => (await store.get(key))?.toString();
	/** Has an attempt leave files among its checkpoints, all of which were copied where they have to be. */
	async function left(number: number, texts: Readonly<Record<string, string>>): Promise<void> {
		for (const [name, text] of Object.entries(texts)) await store.put(`${jobKeys.checkpoints('job_1', number)}/${name}`, text);
	}

	it('gives out what was published', async () => {
		await publish(files);
		for (const [name, text] of Object.entries(ARRAYS)) expect(await textOf(`${DATASET}/${name}`)).toBe(text);
		const path = await files.withFolder(DATASET, async (folder) => {
			expect(await textsIn(folder)).toMatchObject(ARRAYS);
			return folder;
		});
		expect(files.roots.some((root) => path.startsWith(root))).toBe(true);
		await expect(files.withFolder(DATASET, () => Promise.reject(new Error('torn')))).rejects.toThrow('torn');
	});

	it('leaves nothing of a folder that is absent', async () => {
		await files.withFolder(DATASET, async (folder) => expect(await isThere(join(folder, RECORD))).toBe(false));
		expect(await store.list('')).toEqual([]);
	});

	it('gives out one file, and the path of an absent one where there is none', async () => {
		const key = jobKeys.artifact('job_1', 2, 'state.safetensors');
		await store.put(key, 'state');
		expect(await files.withFile(key, digestOf('state'), (path) => readFile(path, 'utf8'))).toBe('state');
		await files.withFile(jobKeys.artifact('job_1', 0, 'state.safetensors'), null, async (path) => expect(await isThere(path)).toBe(false));
	});

	it('gives out a file that was replaced, beside those that were not', async () => {
		const folder = modelKeys.folder('mdl_1');
		await publish(files, { 'model.onnx': 'an archive', 'model.json': '{}' }, folder, 'model.json');
		await files.withFolder(folder, async () => {});
		await write(temporary, { whole: 'one file' });
		await files.replace(folder, 'model.onnx', join(temporary, 'whole'));
		await store.put(modelKeys.naming('mdl_1'), '{"name":"first"}');
		const read = () => files.withFolder(folder, textsIn);
		expect(await read()).toMatchObject({ 'model.onnx': 'one file', 'model.json': '{}' });
		await store.put(modelKeys.naming('mdl_1'), '{"name":"another"}');
		expect(await read()).toMatchObject({ 'model.onnx': 'one file', 'model.json': '{}' });
	});

	it('keeps what an attempt has made, with its size and hash', async () => {
		const attempt = await files.openAttempt('job_1', 1, noTrouble);
		expect(attempt.earlier).toEqual([]);
		expect(await readdir(attempt.path)).toEqual([]);
		await write(attempt.path, { 'model.onnx': 'trained' });
		expect(await attempt.keep('model.onnx')).toEqual(digestOf('trained'));
		await expect(attempt.keep('report.json')).rejects.toThrow(/report\.json/);
		await attempt.close(false);
		expect(await textOf(jobKeys.artifact('job_1', 1, 'model.onnx'))).toBe('trained');
	});

	it('gives a later attempt what it goes on from, newest first', async () => {
		const candidates = Object.fromEntries(
			Object.entries({ x: 9, y: 3, z: 12 }).flatMap(([name, last]) => [
				...[last, last + 1].map((number) => [`candidates/${name}/checkpoints/${number}.safetensors`, `${name} ${number}`]),
				[`candidates/${name}/judged.json`, name],
			]),
		) as Record<string, string>;
		await left(1, candidates);
		await left(2, { '0.safetensors': 'second' });
		const { earlier, close } = await files.openAttempt('job_1', 3, noTrouble);
		expect(earlier).toHaveLength(2);
		const [second, first] = earlier.map((folder) => join(folder, 'checkpoints')) as [string, string];
		expect(await readFile(join(second, '0.safetensors'), 'utf8')).toBe('second');
		for (const [name, last] of Object.entries({ x: 10, y: 4, z: 13 })) {
			expect(await readFile(join(first, `candidates/${name}/checkpoints/${last}.safetensors`), 'utf8')).toBe(`${name} ${last}`);
			expect(await readFile(join(first, `candidates/${name}/judged.json`), 'utf8')).toBe(name);
		}
		await close(false);
	});

	it('adds to a file text after text', async () => {
		const key = auditKeys.file('2026-12-01');
		const appender = files.openAppender(key);
		await appender.add('one\n');
		await appender.add('two\n');
		await appender.flush();
		expect(await textOf(key)).toBe('one\ntwo\n');
		await appender.add('three\n');
		await appender.close();
		expect(await textOf(key)).toBe('one\ntwo\nthree\n');
		await files.openAppender(auditKeys.file('nothing')).close();
		expect(await textOf(auditKeys.file('nothing'))).toBeUndefined();
	});

	it('knows the space of its disk', async () => {
		const { free, total } = await files.space();
		expect(free).toBeGreaterThan(0);
		expect(total).toBeGreaterThanOrEqual(free);
	});
}

/** A store that can be made to fail, and tells of what it does. */
type Observed = Store & {
	/** The error of every write; null where they succeed. */
	failure: Error | null;
	/** The keys that were put, or were to be. */
	puts: string[];
	/** What a read waits for. */
	reading: Promise<void>;
};
function observed(store: Store): Observed {
	const all: Observed = {
		...store,
		failure: null,
		puts: [],
		reading: Promise.resolve(),
		async put(key, content) {
			all.puts.push(key);
			if (all.failure !== null) {
				if (typeof content === 'object' && 'destroy' in content) content.destroy();
				throw all.failure;
			}
			return store.put(key, content);
		},
		async read(key, range) {
			await all.reading;
			return store.read(key, range);
		},
	};
	return all;
}

const isAlive: IdentityOf = async (pid) => (pid === process.pid ? 'this' : null);

const patienceOf = (signal: AbortSignal, waiting: Patience['waiting'] = () => {}): Patience => ({
	signal,
	stopped: () => signal.aborted,
	waiting,
});

/** What copies of a store that lies elsewhere must do beside. `open` gives an empty store. */
function copiesSuite(open: () => Promise<Store>): void {
	let store: Observed;
	let files: StoreFiles;
	const copies = (identityOf = isAlive) => filesAsCopies(store, { folder: join(temporary, 'machine'), most: 1 << 20, identityOf });
	beforeEach(async () => {
		store = observed(await open());
		files = await copies();
	});
	const textOf = async (key: string) => (await store.get(key))?.toString();
	const keptOf = async (attempt: number) => {
		const prefix = jobKeys.checkpoints('job_1', attempt);
		return (await store.list(prefix)).map((key) => key.slice(prefix.length + 1));
	};
	const untilKept = (attempt: number, names: string[]) =>
		vi.waitFor(async () => expect(await keptOf(attempt)).toEqual(names), { timeout: 20_000, interval: 20 });

	filesSuite(async () => ({ store, files }));

	it('publishes the record last, and may lose the folder then', async () => {
		await publish(files);
		expect(store.puts).toHaveLength(4);
		expect(store.puts.at(-1)).toBe(`${DATASET}/${RECORD}`);
		await rm(files.uploads, { recursive: true });
		expect(await files.withFolder(DATASET, textsIn)).toEqual(ARRAYS);
	});

	it('finds out what a folder holds that was copied into the store by other means, but for what changes', async () => {
		for (const [name, text] of Object.entries(ARRAYS)) await store.put(`${DATASET}/${name}`, text);
		await store.put(datasetKeys.naming('ds_1'), '{"name":"first"}');
		expect(await files.withFolder(DATASET, textsIn)).toEqual(ARRAYS);
		expect(Object.keys(JSON.parse((await textOf(`${DATASET}/files.json`)) as string)).sort()).toEqual(Object.keys(ARRAYS).sort());
	});

	it('ends the wait for what is copied by an abort, and serves the next one', async () => {
		await publish(files);
		let go = () => {};
		store.reading = new Promise((resolve) => {
			go = resolve;
		});
		const stop = new AbortController();
		const waiting = files.withFolder(DATASET, textsIn, patienceOf(stop.signal));
		const another = files.withFolder(DATASET, textsIn);
		stop.abort(new Error('enough'));
		await expect(waiting).rejects.toThrow('enough');
		go();
		expect(await another).toEqual(ARRAYS);
		expect(await files.withFolder(DATASET, textsIn, patienceOf(new AbortController().signal))).toEqual(ARRAYS);
	});

	it('waits for a store that cannot be reached where it is to be patient, says why, and runs the action once', async () => {
		await publish(files);
		const { read } = store;
		const told: unknown[] = [];
		let tries = 0;
		store.read = async (key, range) => {
			if (tries++ < 2) throw new ProblemError('unavailable', 'away');
			return read(key, range);
		};
		const action = vi.fn<typeof textsIn>(textsIn);
		const patience = patienceOf(new AbortController().signal, (reason) => told.push(reason));
		expect(await files.withFolder(DATASET, action, patience)).toEqual(ARRAYS);
		expect(told).toEqual([{ code: 'unavailable', message: 'away; the job goes on when that has passed', param: null }, null]);
		expect(action).toHaveBeenCalledTimes(1);
		const failing = vi.fn<() => Promise<never>>(() => Promise.reject(new ProblemError('unavailable', 'its own')));
		await expect(files.withFolder(DATASET, failing, patience)).rejects.toThrow('its own');
		expect(failing).toHaveBeenCalledTimes(1);
	});

	it('copies the newest whole checkpoint of every folder behind the trainer, and keeps two', async () => {
		const attempt = await files.openAttempt('job_1', 1, noTrouble);
		const folder = join(attempt.path, 'checkpoints');
		const inner = 'candidates/x/checkpoints';
		await write(folder, { '8.safetensors': '8', '9.safetensors': '9', '10.safetensors.tmp': 'half', [`${inner}/0.safetensors`]: 'x0' });
		await untilKept(1, ['9.safetensors', `${inner}/0.safetensors`]);
		await write(folder, { '10.safetensors': '10', 'candidates/x/judged.json': '{}' });
		await untilKept(1, ['10.safetensors', '9.safetensors', `${inner}/0.safetensors`, 'candidates/x/judged.json']);
		await write(folder, { '11.safetensors': '11', [`${inner}/1.safetensors`]: 'x1' });
		const last = ['10.safetensors', '11.safetensors', `${inner}/0.safetensors`, `${inner}/1.safetensors`, 'candidates/x/judged.json'];
		await untilKept(1, last);
		expect(await textOf(`${jobKeys.checkpoints('job_1', 1)}/11.safetensors`)).toBe('11');
		await attempt.close(true);
		expect(await keptOf(1)).toEqual(last);
		expect(await isThere(attempt.path)).toBe(false);
	});

	it('has the newest checkpoint in the store when an attempt that goes on later is closed, and else writes nothing more', async () => {
		for (const [number, resumable] of [
			[1, false],
			[2, true],
		] as const) {
			const attempt = await files.openAttempt('job_1', number, noTrouble);
			await write(attempt.path, { 'checkpoints/3.safetensors': 'newest' });
			await attempt.close(resumable);
			expect(await keptOf(number)).toEqual(resumable ? ['3.safetensors'] : []);
		}
	});

	it('tells of a store that cannot be written, and writes the checkpoint when it can be', async () => {
		const told: unknown[] = [];
		const attempt = await files.openAttempt('job_1', 1, (error) => told.push(error));
		store.failure = new Error('away');
		await write(attempt.path, { 'checkpoints/0.safetensors': 'first' });
		await vi.waitFor(() => expect(told.length).toBeGreaterThan(1), { timeout: 20_000 });
		expect(new Set(told)).toEqual(new Set([store.failure]));
		store.failure = null;
		await untilKept(1, ['0.safetensors']);
		store.failure = new Error('away again');
		await write(attempt.path, { 'checkpoints/1.safetensors': 'second' });
		await attempt.close(true);
		expect(told.at(-1)).toBe(store.failure);
		expect(await isThere(attempt.path)).toBe(false);
	});

	it('passes over a checkpoint that the trainer removed meanwhile', async () => {
		const attempt = await files.openAttempt('job_1', 1, noTrouble);
		const folder = join(attempt.path, 'checkpoints');
		await mkdir(folder);
		await symlink('removed', join(folder, '0.safetensors'));
		await vi.waitFor(() => expect(store.puts).toContain(`${jobKeys.checkpoints('job_1', 1)}/0.safetensors`), { timeout: 20_000 });
		await write(folder, { '1.safetensors': 'next' });
		await untilKept(1, ['1.safetensors']);
		await attempt.close(false);
	});

	it('removes what a killed process was working on, and nothing of a living one', async () => {
		// A process is gone when another one has its id.
		const killed = await copies(async () => 'before');
		const left = await killed.openAttempt('job_1', 1, noTrouble);
		const alive = await (await copies()).openAttempt('job_1', 2, noTrouble);
		expect(await isThere(left.path)).toBe(false);
		await copies();
		expect(await isThere(alive.path)).toBe(true);
		await left.close(false);
		await alive.close(false);
	});

	it('leaves alone the folder of a process that starts at the same time', async () => {
		const leases = join(temporary, 'machine', 'processes');
		const another = join(temporary, 'machine', 'work', 'another');
		await copies(async (pid) => {
			// That of `files` and its own: it is looking which of them are over.
			if ((await readdir(leases)).length === 2) {
				await writeFile(join(leases, 'work.another'), JSON.stringify({ host: 'another', pid, identity: 'another' }));
				await mkdir(another);
			}
			return isAlive(pid);
		});
		expect(await isThere(another)).toBe(true);
	});

	it('loses no text that is added to a file while the store cannot be written', async () => {
		const key = jobKeys.log('job_1', 1);
		const appender = files.openAppender(key);
		await appender.add('one\n');
		await appender.flush();
		store.failure = new Error('away');
		await appender.add('two\n');
		await expect(appender.flush()).rejects.toThrow('away');
		expect(await textOf(key)).toBe('one\n');
		const tried = store.puts.length;
		await appender.add('three\n');
		await vi.waitFor(() => expect(store.puts.length).toBeGreaterThan(tried), { timeout: 20_000 });
		store.failure = null;
		await vi.waitFor(async () => expect(await textOf(key)).toBe('one\ntwo\nthree\n'), { timeout: 20_000 });
		await appender.close();
		expect(await textOf(key)).toBe('one\ntwo\nthree\n');
	});
}

describe('the files of a store in a folder of this machine', () => {
	filesSuite(async () => {
		const store = await openStore(temporary);
		return { store, files: store.files };
	});
});

describe('copies of the files of a store in another folder', () => {
	copiesSuite(() => openStore(join(temporary, 'elsewhere')));
});

// That both servers keep what a store promises is tested elsewhere.
for (const { name, absent, start } of s3Servers.slice(0, 1))
	describe.skipIf(absent)(`copies of the files of a store on ${name}`, () => {
		let restore: () => void;
		let server: S3Server;
		let close = () => {};
		let made = 0;
		beforeAll(async () => {
			restore = useEnvironment(CREDENTIALS);
			server = await start();
		});
		afterAll(async () => {
			await server?.close();
			restore?.();
		});
		afterEach(() => close());
		copiesSuite(async () => {
			const store = await openS3Store(s3AddressOf(`s3://${server.bucket}/files/${++made}?endpoint=${server.endpoint}`));
			close = store.close;
			return store;
		});
	});
