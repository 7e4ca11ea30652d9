// The process that trains one job. It loads the engine, so that the worker's own process never has to. A run of the engine blocks it for up to a second,
// so messages are heard between chunks of steps.
import { type JobError, ProblemError } from '@steelyard/contracts';
import { endWithParent } from './end-with-parent.js';
import { openMeasurements } from './measurements.js';
import type { FromTrainer, ToTrainer, TrainOrder } from './protocol.js';
import { saysOutOfMemory } from './says-out-of-memory.js';

let training = false;
let stopping = false;

/** Sends a message to the worker. Resolves when it is handed over, before which the channel must not be closed. */
function send(message: FromTrainer): Promise<void> {
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
	if (saysOutOfMemory(message) !== null) return { code: 'out_of_memory', message, param: null };
	if (code === 'device_unavailable') return { code, message, param: 'device' };
	return { code: 'training_failed', message: error instanceof Error ? message : String(error), param: null };
}

async function run(options: TrainOrder): Promise<FromTrainer> {
	const measurements = openMeasurements((latest, tally) => void send({ type: 'measured', latest, tally }));
	try {
		const { train } = await engine;
		const outcome = await train({
			...options,
			emit: (body) => void send({ type: 'event', body }),
			measured: measurements.take,
			stopped: () => stopping,
		});
		return outcome.status === 'done' ? { type: 'done', result: outcome.result, artifacts: outcome.artifacts } : { type: 'stopped' };
	} catch (error) {
		if (!(error instanceof ProblemError)) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
		return { type: 'failed', error: errorOf(error) };
	} finally {
		measurements.flush();
	}
}

// Without the worker nobody would take the result. While the engine runs, the thread alone sees that it has gone.
endWithParent();
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches this process too, but it is the worker that decides what becomes of the job.
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
	await send(await run(message.options));
	if (process.connected) process.disconnect();
});
if (!process.connected) process.exit();

// The engine is loaded before there is a job, but after messages can be heard.
const engine = import('@steelyard/trainer');
// An error of the import fails the job that comes, and is not to end this process before.
engine.catch(() => {});
