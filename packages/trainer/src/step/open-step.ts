import type { Optimizer } from '@steelyard/optim';
import { hasCApi, loadProgram, type Program, type Provider, type SessionOptions, type State } from '@steelyard/runtime';
import { buildInPlaceStep } from './build-in-place-step.js';
import { buildStep } from './build-step.js';
import { loadDeviceProgram, refused } from './device-program.js';
import { loadInPlaceProgram } from './in-place-program.js';
import { isPlanned } from './is-planned.js';
import { onProvider } from './on-provider.js';
import { scanProgram } from './scan-program.js';
import type { InPlaceStep, Step } from './step.js';
import type { StepOptions } from './step-inputs.js';
import { withZeros } from './step-state.js';

/** A training step in the form in which a provider trains it. */
export type OpenStep = {
	readonly step: Step | InPlaceStep;
	/** What the host tells the steps of a chunk. */
	readonly numbers: Pick<Optimizer, 'scalarsAt'> & Partial<Pick<Optimizer, 'afterChunk'>>;
	/** The most steps of a chunk. */
	readonly most: number;
	/** Loads it with what is not zero in its state, for runs of at most `steps` steps. Throws RuntimeError as createSession does. */
	load(state: State, steps: number, options: SessionOptions): Promise<Program>;
};

/** Builds the training step of an architecture: in place on the CPU where that can be done, run by run on WebGPU, else repeated within a run. Throws GraphError, RuntimeError, or ProblemError `device_unavailable` for a precision that WebGPU lacks. */
export async function openStep(options: StepOptions, provider: Provider): Promise<OpenStep> {
	const { optimizer } = options;
	const onCpu = provider === 'cpu';
	const onDevice = provider === 'webgpu';
	if (onDevice && options.precision === 'bfloat16') throw refused('it has no bfloat16');
	const ofProvider = { ...options, fused: onCpu, winograd: onCpu, fixedSizes: onDevice };
	if (onCpu && (await hasCApi())) {
		const step = await buildInPlaceStep(ofProvider);
		return {
			step,
			numbers: optimizer.inPlace,
			most: Number.POSITIVE_INFINITY,
			load: (state, _, session) => loadInPlaceProgram(step, state, session),
		};
	}
	const step = await buildStep(ofProvider);
	const planned = !onCpu || isPlanned(step.graph);
	return {
		...{ step, numbers: optimizer, most: optimizer.maxChunk },
		load: (state, steps, session) =>
			onDevice
				? loadDeviceProgram(step, steps, withZeros(step, state), { ...session, provider })
				: loadProgram(scanProgram(onProvider(step, provider)), withZeros(step, state), { ...session, provider, planned }),
	};
}
