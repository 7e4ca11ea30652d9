import { createHash } from 'node:crypto';

/** Size in bytes and lower-case hexadecimal SHA-256 of what was written or read. */
export type Digest = { bytes: number; sha256: string };

/** Size and SHA-256 of bytes that are all there. */
export const digestOf = (body: Uint8Array): Digest => ({ bytes: body.byteLength, sha256: createHash('sha256').update(body).digest('hex') });
