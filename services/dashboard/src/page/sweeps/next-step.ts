import type { SweepResource } from '@steelyard/contracts';
import { count } from '../format.js';

/** How many trials of a sweep have begun. */
export const begunTrials = ({ counts }: Pick<SweepResource, 'counts'>): number =>
	counts.completed + counts.pruned + counts.running + counts.failed;

/** How many trials there will be: all seeds of an assignment are trained, or none. */
export const plannedTrials = ({ spec: { budget, seeds } }: Pick<SweepResource, 'spec'>): number =>
	Math.floor(budget.trials / seeds) * seeds;

function endText({ status, counts, spec, created_at, finished_at }: SweepResource, begun: number, planned: number): string {
	if (status === 'cancelled') return 'It was cancelled. What ended before keeps its values.';
	const isLate = spec.budget.seconds !== undefined && finished_at !== null && finished_at - created_at >= spec.budget.seconds;
	const why = begun >= planned ? 'All trials were made.' : isLate ? 'Its time was over.' : 'Everything in the space was tried.';
	return status === 'failed'
		? `${why} None of them has a value: below it says why.`
		: `${why} ${count(counts.completed, 'trial')} ran to the end.`;
}

/** Where the values of the next assignment come from. */
function sourceText({ spec: { search, seeds } }: SweepResource, begun: number): string {
	if (begun % seeds > 0) return 'the same values with the next seed';
	if (search.type === 'grid') return 'the next values of the grid';
	if (search.type === 'random') return 'values that are drawn at random';
	return begun / seeds < search.startup
		? `values that are drawn at random, as the first ${search.startup} are`
		: 'values from where good trials lie most densely';
}

/** What a sweep does next, in a sentence or two. `isStopping`: whether its jobs are being cancelled. */
export function nextStep(sweep: SweepResource, isStopping: boolean): string {
	const { status, counts, spec, finished_at } = sweep;
	const [begun, planned] = [begunTrials(sweep), plannedTrials(sweep)];
	if (finished_at !== null) return endText(sweep, begun, planned);
	if (isStopping) return `It is being cancelled, and ends once its ${count(counts.running, 'job')} stopped.`;
	const goesOn = `${count(counts.running, 'trial')} that ${counts.running === 1 ? 'waits or runs goes' : 'wait or run go'} on`;
	if (status === 'paused')
		return counts.running > 0
			? `It is paused: ${goesOn} to the end, and no other starts.`
			: 'It is paused: no trial starts before you resume it.';
	const promoted =
		spec.pruning.type === 'asha' ? ` Of the trials that reach a rung, the best one in ${spec.pruning.factor} is trained further.` : '';
	if (begun >= planned)
		return `All trials have begun; ${counts.running.toLocaleString('en')} of them still ${counts.running === 1 ? 'runs' : 'run'}.${promoted}`;
	return `Up to ${spec.concurrency} trials are under way at once. Trial ${begun} comes next, with ${sourceText(sweep, begun)}.${promoted}`;
}
