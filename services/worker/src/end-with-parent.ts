import { Worker } from 'node:worker_threads';

const WATCH = `
const { workerData: parent } = require('node:worker_threads');
setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 200);
`;

/** Has a thread end this process when its parent has gone, also while the main thread computes and handles no event. */
export function endWithParent(): void {
	new Worker(WATCH, { eval: true, workerData: process.ppid }).unref();
}
