// The process that trains one job. It loads the engine, so the worker's own process never does; a run of the engine blocks it for up to a
// second, so orders are heard between chunks.
import { type JobError, ProblemError } from '@steelyard/contracts';
import type { FromTrainer, ToTrainer, TrainOrder } from './protocol.js';

let training = false;
let stopping = false;

/** The last message needs the channel until it has been handed over. */
function tell(message: FromTrainer): Promise<void> {
	return new Promise((resolve) => {
		if (!process.connected) return resolve();
		process.send?.(message, () => resolve());
	});
}

function errorOf(error: unknown): JobError {
	if (error instanceof ProblemError) return { code: error.code, message: error.message, param: error.param };
	const { code, message } = error as NodeJS.ErrnoException;
	if (code === 'ENOSPC' || code === 'EDQUOT')
		return { code: 'insufficient_storage', message: `No space is left for the job: ${message}`, param: null };
	if (code === 'device_unavailable') return { code, message, param: 'device' };
	return { code: 'training_failed', message: error instanceof Error ? message : String(error), param: null };
}

async function run(options: TrainOrder): Promise<FromTrainer> {
	try {
		const { train } = await engine;
		const outcome = await train({
			...options,
			emit: (body) => void tell({ type: 'event', body }),
			stopped: () => stopping,
		});
		return outcome.status === 'done' ? { type: 'done', result: outcome.result, artifacts: outcome.artifacts } : { type: 'stopped' };
	} catch (error) {
		if (!(error instanceof ProblemError)) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
		return { type: 'failed', error: errorOf(error) };
	}
}

// Without its worker nobody would take the result.
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches the whole group, and the worker says what it means for this job.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {
	if (!training) process.exit();
	stopping = true;
});
process.on('message', async (message: ToTrainer) => {
	if (message.type === 'stop') {
		stopping = true;
		return;
	}
	training = true;
	await tell(await run(message.options));
	if (process.connected) process.disconnect();
});
if (!process.connected) process.exit();

// Loaded before there is an order, and after orders can be heard.
const engine = import('@steelyard/trainer');
// What it meets is told when there is a job to fail by it.
engine.catch(() => {});
