import type { SweepResource, SweepTrial } from '@steelyard/contracts';
import { plain } from './named-texts.js';
import { table } from './output.js';
import { timeText } from './units.js';

/** Trials that are shown at most. */
const MOST_SHOWN = 20;

const numberText = (value: number): string => String(Number(value.toPrecision(4)));
const valueText = (value: unknown): string =>
	typeof value === 'number' ? numberText(value) : typeof value === 'string' ? plain(value) : plain(JSON.stringify(value));

/** The values of an assignment, such as `learning_rate=0.01 preset=btw`: of a path the last name says enough where no other dimension ends so. */
function assignmentText(assignment: SweepTrial['assignment'], { space }: SweepResource['spec']): string {
	const last = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
	const paths = Object.keys(space);
	const short = (path: string): string => (paths.filter((one) => last(one) === last(path)).length === 1 ? last(path) : path);
	return Object.entries(assignment)
		.map(([path, value]) => `${short(path)}=${valueText(value)}`)
		.join(' ');
}

/** How far a sweep is, in a line: `running: 12 of 30 trials; 2 completed, 6 pruned, 4 running`. */
export function sweepLine({ status, counts, spec, best }: SweepResource): string {
	const started = counts.completed + counts.pruned + counts.running + counts.failed;
	const parts = Object.entries(counts).flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`]));
	const value = best === null ? '' : `; best ${spec.metric} ${numberText(best.mean)}`;
	return `${status}: ${started} of ${spec.budget.trials} trials${parts.length === 0 ? '' : `; ${parts.join(', ')}`}${value}`;
}

/** A sweep to read. */
export function sweepText(sweep: SweepResource): string {
	const { id, spec, best, trials, importance, created_at, finished_at } = sweep;
	const rows: [string, string][] = [
		['sweep', id],
		...(spec.name === undefined ? [] : ([['name', plain(spec.name)]] as [string, string][])),
		['status', sweepLine(sweep)],
		[
			'looks for',
			`the ${spec.direction === 'minimise' ? 'lowest' : 'highest'} ${plain(spec.metric)} on validation, by ${spec.search.type}${spec.pruning.type === 'none' ? '' : ` and ${spec.pruning.type}`}`,
		],
		['created', timeText(created_at)],
		...(finished_at === null ? [] : ([['ended', timeText(finished_at)]] as [string, string][])),
	];
	if (best !== null) {
		const interval = best.low === null || best.high === null ? '' : `, 95 % interval ${numberText(best.low)} to ${numberText(best.high)}`;
		rows.push(['best', `${numberText(best.mean)}${interval}: ${assignmentText(best.assignment, spec)}`], ['its job', best.jobs.join(', ')]);
	}
	if (importance !== null)
		rows.push([
			'importance',
			Object.entries(importance)
				.toSorted(([, a], [, b]) => b - a)
				.map(([path, share]) => `${path} ${Math.round(100 * share)} %`)
				.join(', '),
		]);
	const shown = trials.slice(0, MOST_SHOWN);
	const list = table([
		['trial', plain(spec.metric), 'epochs', 'state', 'job', 'values'],
		...shown.map(({ trial, value, epochs, state, job, assignment }) => [
			String(trial),
			value === null ? '–' : numberText(value),
			String(epochs),
			state,
			job,
			assignmentText(assignment, spec),
		]),
	]);
	const more = trials.length > shown.length ? `\n… and ${trials.length - shown.length} more; --json has all of them` : '';
	return `${table(rows)}${trials.length === 0 ? '' : `\n\n${list}${more}`}`;
}
