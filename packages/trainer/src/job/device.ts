import { type JobSpec, ProblemError } from '@steelyard/contracts';
import { type Choice, chooseProvider, type Devices, type Provider, probeDevices } from '@steelyard/runtime';
import { openFitOf } from './fit-model.js';
import type { Job } from './job.js';

/** The device that a job trains on; `note` says why, where that needs a word. */
export type Device = { readonly provider: Provider; readonly note: string | null };

/** What a job asks for, of what there is. Throws ProblemError `device_unavailable` with the provider's own words. */
export async function deviceFor(
	wish: JobSpec['device'],
	devices?: Devices,
): Promise<Device & Pick<Choice, 'isTried'> & { readonly adapter: string | null }> {
	if (wish === 'cpu') return { provider: 'cpu', note: null, isTried: false, adapter: null };
	const found = devices ?? (await probeDevices());
	const { provider, note, isTried } = chooseProvider(wish, found);
	if (provider === null) throw new ProblemError('device_unavailable', `${wish} is not available here: ${note}`, 'device');
	return { provider, note, isTried, adapter: found.webgpu.name };
}

/** A step that the CPU makes in so many milliseconds no GPU makes faster: it starts a hundred kernels and more. */
const LEAST = 0.5;
/** How long steps are timed, in milliseconds, and after how many runs at most, beside the first, in which what is compiled late is compiled. */
const TIMED = 500;
const RUNS = 4;

/** Milliseconds of a step of the fusion model on the device of a job, about. */
async function millisecondsOfStep(job: Job): Promise<number> {
	const { fusion: architecture, train } = job;
	const fit = await openFitOf(job, { name: 'fusion', stage: 'fusion', index: 0 }, { architecture, train, mostSteps: null }, null);
	const options = { weights: new Float32Array(train.rows.length * architecture.modalities.length).fill(1), learningRate: () => 0 };
	const runs: Array<{ steps: number; took: number }> = [];
	try {
		for (const chunk of fit.chunks({ epoch: 0, chunk: 0 }))
			for (let from = 0; from < chunk.length; ) {
				const started = performance.now();
				const { length: steps } = await fit.run(chunk, from, options);
				runs.push({ steps, took: performance.now() - started });
				from += steps;
				const timed = runs.length > 1 ? runs.slice(1) : runs;
				const spent = timed.reduce((sum, { took }) => sum + took, 0);
				if (runs.length > RUNS || (runs.length > 1 && spent > TIMED) || chunk.step + from === fit.steps)
					return spent / timed.reduce((sum, one) => sum + one.steps, 0);
			}
		throw new RangeError('a training has at least one step');
	} finally {
		await fit.dispose();
	}
}

const ms = (milliseconds: number): string => milliseconds.toPrecision(2);

/**
 * The faster of a GPU by WebGPU and the CPU for a job, as `measure` finds; the device that the job began on where it goes on from a checkpoint. `open` makes the job
 * for a provider.
 */
export async function fasterDevice(
	open: (provider: Provider) => Promise<Job>,
	adapter: string | null,
	measure: (job: Job) => Promise<number> = millisecondsOfStep,
): Promise<{ readonly job: Job; readonly note: string | null }> {
	const gpu = adapter ?? 'the GPU';
	const there = await open('webgpu');
	if (there.state.isResumed) return { job: there, note: null };
	const here = await open('cpu');
	if (here.state.isResumed) return { job: here, note: 'the job began on the CPU and goes on there' };
	const own = await measure(here);
	if (own < LEAST) return { job: here, note: `using the CPU, which is faster for so small a model: ${ms(own)} ms a step` };
	try {
		const its = await measure(there);
		const compared = `${ms(own)} ms a step on the CPU, ${ms(its)} on ${gpu} (WebGPU)`;
		return its < own
			? { job: there, note: `using the GPU: ${compared}` }
			: { job: here, note: `using the CPU, which is faster for this model: ${compared}` };
	} catch (error) {
		if (!(error instanceof ProblemError) || error.code !== 'device_unavailable') throw error;
		return { job: here, note: `${error.message}, using the CPU` };
	}
}
