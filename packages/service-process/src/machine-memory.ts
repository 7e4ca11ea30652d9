import { freemem, totalmem } from 'node:os';

/** Bytes of memory of this machine, or of the container in which this process runs where that has less. */
export const machineMemory = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

/** What processes of Node can say of the memory that is left; versions before 20.13 cannot. */
type Available = { availableMemory?: () => number };

/** Bytes of that memory which are taken, by whatever runs there; what the system would free for others, such as copies of files, is not counted. */
export const usedMemory = (): number => Math.max(0, machineMemory() - ((process as Available).availableMemory?.() ?? freemem()));
