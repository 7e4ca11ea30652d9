import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Tells a process from every other that ever has the same id; null where there is none. */
export type IdentityOf = (pid: number) => Promise<string | null>;

type Holder = { host: string; pid: number; identity: string };

/** The age, in milliseconds, after which a lease of another machine that was not renewed is over, and how often one is renewed. */
const OVER = 60 * 60 * 1000;
const RENEW_EVERY = OVER / 6;

/** A mark of a living process in a folder. */
export type Lease = { id: string; release(): Promise<void> };

export type Leases = {
	/** Marks `subject` as used by this process. The mark is there when this resolves. */
	take(subject: string): Promise<Lease>;
	/** The leases of living processes, by their ids, with their subjects. Those of dead ones are removed. */
	living(): Promise<Map<string, string>>;
};

/**
 * Keeps leases as files `<subject>.<id>` in a folder. A file appears whole or not at all, and no id is ever used twice, so that those of dead processes are removed by whoever meets
 * them. Of this machine a lease is over when its process is; that of another one when it was not renewed for an hour.
 */
export async function openLeases(folder: string, identityOf: IdentityOf): Promise<Leases> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const own: Holder = { host: hostname(), pid: process.pid, identity: (await identityOf(process.pid)) ?? '' };

	async function isOver(path: string): Promise<boolean> {
		const text = await readFile(path, 'utf8').catch(absent);
		if (text === null) return true;
		const holder = holderIn(text);
		if (holder?.host === own.host) return (await identityOf(holder.pid)) !== holder.identity;
		const known = await stat(path).catch(absent);
		return known === null || Date.now() - known.mtimeMs > OVER;
	}

	return {
		async take(subject) {
			const id = randomUUID();
			const path = join(folder, `${subject}.${id}`);
			await writeFile(path, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
			const renewing = setInterval(() => {
				const now = new Date();
				// Where it cannot be renewed the machine still knows that its process lives.
				utimes(path, now, now).catch(() => {});
			}, RENEW_EVERY).unref();
			return {
				id,
				async release() {
					clearInterval(renewing);
					await rm(path, { force: true });
				},
			};
		},
		async living() {
			const found = new Map<string, string>();
			for (const name of await readdir(folder)) {
				const path = join(folder, name);
				if (await isOver(path)) await rm(path, { force: true });
				else found.set(name.slice(name.lastIndexOf('.') + 1), name.slice(0, name.lastIndexOf('.')));
			}
			return found;
		},
	};
}

/** The process that a lease names; null where it is still being written, or was torn by a power cut. */
function holderIn(text: string): Holder | null {
	try {
		return JSON.parse(text) as Holder;
	} catch {
		return null;
	}
}

/** null for what is not there. */
export function absent(error: unknown): null {
	if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') return null;
	throw error;
}
