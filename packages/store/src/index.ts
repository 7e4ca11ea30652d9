export type { CachedFile } from './cache/arrival.js';
export { type ContentCache, type ContentCacheOptions, type HeldFolder, openContentCache } from './cache/content-cache.js';
export type { IdentityOf } from './cache/leases.js';
export type { Digest } from './digest.js';
export { type CopiesOptions, filesAsCopies } from './files/copies.js';
export type { Appender, AttemptFolder, StoreFiles } from './files/files.js';
export { goesOnFrom } from './files/goes-on-from.js';
export { createId, idsFrom } from './id.js';
export { InvalidKeyError } from './key.js';
export {
	auditKeys,
	datasetKeys,
	folders,
	jobKeys,
	keyKeys,
	listAttempts,
	listIds,
	listLogs,
	modelKeys,
	sweepKeys,
	webhookKeys,
} from './layout.js';
export { openStore } from './local-store.js';
export { makeFolder } from './make-folder.js';
export { isDamaged, listDamaged, readRecord } from './record.js';
export { type Space, spaceOf } from './reserve.js';
export { isS3Address, type S3Address, S3AddressError, s3AddressOf } from './s3/address.js';
export type { S3Options } from './s3/connection.js';
export { openS3Store, type S3Store } from './s3/s3-store.js';
export type { LocalStore, ServiceStore, Store, StoredEntry, StoredObject } from './store.js';
export { isFull, mayPass, type Patience, type WaitOptions, whenPossible } from './when-possible.js';
