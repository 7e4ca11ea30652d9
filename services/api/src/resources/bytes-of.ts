import type { StoredEntry } from '@steelyard/store';

/** How many bytes files have together. */
export const bytesOf = (entries: readonly Pick<StoredEntry, 'bytes'>[]): number => entries.reduce((sum, { bytes }) => sum + bytes, 0);
