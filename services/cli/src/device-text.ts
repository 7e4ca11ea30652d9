import type { JobResource } from '@steelyard/contracts';

/** The device that a job trains on, in a few words: where that needs a word, the note of the job says why. `npm run cuda` says what a GPU lacks. */
export function deviceText({ provider, note }: NonNullable<JobResource['device']>): string {
	if (provider === 'cuda') return 'using the GPU (CUDA)';
	return note ?? (provider === 'webgpu' ? 'using the GPU (WebGPU)' : 'using the CPU');
}
