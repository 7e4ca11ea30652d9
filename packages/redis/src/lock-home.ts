import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identityOf } from './process-identity.js';

export type HomeLock = {
	/** Gives the folder free. A second call does nothing. */
	release(): Promise<void>;
};

/** Another living process holds the folder; `pid` is its id. */
export class HomeLockedError extends Error {
	override readonly name = 'HomeLockedError';
	readonly code = 'home_locked';
	readonly pid: number;

	constructor(home: string, pid: number) {
		super(`${home} is in use by process ${pid}: end it first, or choose another data folder`);
		this.pid = pid;
	}
}

/** What a holder's file says: the process that holds the folder, or that it has given the folder free. */
type Holder = { pid: number; identity: string } | 'released';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code;

/** The numbers of the holders' files, highest first. */
async function generationsIn(folder: string): Promise<number[]> {
	const names = await readdir(folder);
	return names
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.sort((a, b) => b - a);
}

/** What a holder's file says; null where it is gone by now. A power cut, which no holder outlives, may have torn it. */
async function holderOf(file: string): Promise<Holder | null> {
	const text = await readFile(file, 'utf8').catch((error: unknown) => {
		if (codeOf(error) === 'ENOENT') return null;
		throw error;
	});
	if (text === null) return null;
	try {
		return JSON.parse(text) as Holder;
	} catch {
		return 'released';
	}
}

/**
 * Takes a folder for this process, by a file in `lock/` in it; one that is absent is made for this user alone. A lock whose holder was killed
 * is taken over. Throws HomeLockedError.
 *
 * Each holder writes a file of its own, numbered upwards, and the highest number holds the lock. A number can be made only once, so of two
 * processes that find the same dead holder one fails. And a number stays until a higher one holds, so a slow third process cannot make it again.
 */
export async function lockHome(home: string): Promise<HomeLock> {
	const folder = join(home, 'lock');
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const own: Holder = { pid: process.pid, identity: (await identityOf(process.pid)) ?? '' };
	for (;;) {
		const [last = 0] = await generationsIn(folder);
		const holder = last === 0 ? 'released' : await holderOf(join(folder, String(last)));
		if (holder === null) continue;
		if (holder !== 'released' && (await identityOf(holder.pid)) === holder.identity) throw new HomeLockedError(home, holder.pid);

		const mine = join(folder, String(last + 1));
		const draft = join(folder, `draft-${randomUUID()}`);
		await writeFile(draft, JSON.stringify(own));
		const made = await link(draft, mine).then(
			() => true,
			(error: unknown) => {
				if (codeOf(error) === 'EEXIST') return false;
				throw error;
			},
		);
		await rm(draft);
		if (!made) continue;
		const all = await generationsIn(folder);
		if (all[0] !== last + 1) {
			await rm(mine, { force: true });
			continue;
		}
		for (const lower of all.slice(1)) await rm(join(folder, String(lower)), { force: true });

		let held = true;
		return {
			async release() {
				if (!held) return;
				held = false;
				await writeFile(draft, JSON.stringify('released' satisfies Holder));
				await rename(draft, mine);
			},
		};
	}
}
