export { createId } from './id.js';
export { InvalidKeyError } from './key.js';
export { datasetKeys, jobKeys, listAttempts, listIds, modelKeys, uploadKeys } from './layout.js';
export { openStore } from './local-store.js';
export { listDamaged, readRecord } from './record.js';
export { isFull, type RoomOptions, whenThereIsRoom } from './room.js';
export type { Digest, Store, StoredObject } from './store.js';
