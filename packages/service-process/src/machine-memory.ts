import { totalmem } from 'node:os';

/** Bytes of memory of this machine, or of the container in which this process runs where that has less. */
export const machineMemory = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
