import { Worker } from 'node:worker_threads';

const WATCH = `
const { workerData: parent } = require('node:worker_threads');
setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 200);
`;

/** Ends this process when its parent has gone, also while it is at work and hears nothing: a thread of its own looks. */
export function endWithParent(): void {
	new Worker(WATCH, { eval: true, workerData: process.ppid }).unref();
}
