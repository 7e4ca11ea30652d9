import { parseSweepSpec, type SweepRequest, type SweepResource, type SweepTrial } from '@steelyard/contracts';

export const SWEEP_DATASET = 'ds_01h0000000000000000000000x';

type About = Partial<Pick<SweepResource, 'status' | 'created_at' | 'finished_at' | 'trials'>> & { spec?: Partial<SweepRequest> };

/** A trial with a value after so many epochs. */
export const trial = (number: number, value: number | null, more: Partial<SweepTrial> = {}): SweepTrial => ({
	...{ trial: number, job: `job_${number}`, assignment: { 'training.epochs': number }, seed: 0 },
	...{ state: value === null ? 'failed' : 'completed', epochs: value === null ? 0 : 9, value },
	...more,
});

/** A sweep of which a test names what it looks at. */
export function sweep({ spec = {}, status = 'running', trials = [], created_at = 0, finished_at = null }: About = {}): SweepResource {
	const whole = parseSweepSpec({
		...{ job: { dataset: SWEEP_DATASET }, space: { 'training.epochs': { type: 'int', low: 1, high: 9 } }, budget: { trials: 10 } },
		...spec,
	});
	const count = (state: SweepTrial['state']): number => trials.filter((one) => one.state === state).length;
	return {
		...{
			id: 'swp_1',
			object: 'sweep',
			project: 'default',
			status,
			created_at,
			finished_at,
			spec: whole,
			trials,
			best: null,
			importance: null,
		},
		counts: { completed: count('completed'), pruned: count('pruned'), running: count('running'), failed: count('failed') },
	};
}
