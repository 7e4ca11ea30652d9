import { identityOf } from '@steelyard/redis';
import { filesAsCopies, openS3Store, openStore, type S3Address, type ServiceStore } from '@steelyard/store';
import type { ServiceConfig } from './configuration.js';

/** An open store, and how its connections are ended. */
export type OpenStore = { store: ServiceStore; close(): Promise<void> };

/** Opens a bucket as a store, with its copies in a folder of this machine. Throws ProblemError. */
async function openBucket(bucket: S3Address, folder: string, most: number): Promise<OpenStore> {
	const remote = await openS3Store(bucket);
	const files = await filesAsCopies(remote, { folder, most, identityOf });
	return { store: { ...remote, files }, close: async () => remote.close() };
}

/** Opens the store of an installation: a bucket, or the data folder. Throws ProblemError where a bucket cannot be reached or used, and the error of the system where the folder cannot. */
export async function openServiceStore({
	home,
	bucket,
	cacheBytes,
}: Pick<ServiceConfig, 'home' | 'bucket' | 'cacheBytes'>): Promise<OpenStore> {
	return bucket === null ? { store: await openStore(home), close: async () => {} } : openBucket(bucket, home, cacheBytes);
}
