/** Values that are counted by how large they are; a value may be counted several times. */
type Distribution = {
	help: string;
	/** The largest values of its groups, growing; larger ones make a group more. */
	bounds: readonly number[];
	/** Parts of a unit in which sums are kept, so that they are whole numbers. */
	parts: number;
};

const seconds = (help: string, bounds: readonly number[]): Distribution => ({ help, bounds, parts: 1e6 });

/** What is measured of the training of all jobs, by name: how long things take in seconds, and memory in bytes. */
export const DISTRIBUTIONS = {
	step_seconds: seconds('Time of an optimizer step', [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]),
	refresh_seconds: seconds('Time to make the training weights anew', [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]),
	checkpoint_seconds: seconds('Time to write a checkpoint', [3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100]),
	peak_memory_bytes: {
		help: 'The most memory that a trainer has taken, of attempts that have ended',
		bounds: [1e8, 2e8, 5e8, 1e9, 2e9, 5e9, 1e10, 2e10, 5e10, 1e11],
		parts: 1,
	},
} satisfies Record<string, Distribution>;
export type DistributionName = keyof typeof DISTRIBUTIONS;

/** What is counted of all jobs, by name. `metric`: what it is called among the metrics. `by`: what tells its parts apart. */
export const COUNTS = {
	rows: { metric: 'training_rows', help: 'Rows that jobs were trained on, each as often as an epoch had it', by: null },
	checkpoint_bytes: { metric: 'training_checkpoint_bytes', help: 'Bytes of checkpoints that were written', by: null },
	attempts: { metric: 'training_attempts', help: 'Attempts of jobs that have ended, by how', by: 'end' },
	notices: { metric: 'notice_tries', help: 'Tries to deliver notices of ended jobs, by how they ended', by: 'end' },
} as const;
export type CountName = keyof typeof COUNTS;

/** Whole numbers by key, which are only ever added to, so that those of many processes can be summed up in any order. */
export type Tally = Record<string, number>;

const add = (tally: Tally, key: string, by: number): void => {
	tally[key] = (tally[key] ?? 0) + by;
};

/** Counts a value `times` times. */
export function tallyValue(tally: Tally, name: DistributionName, value: number, times = 1): void {
	const { bounds, parts } = DISTRIBUTIONS[name];
	add(tally, `${name}:${bounds.find((bound) => value <= bound) ?? 'more'}`, times);
	add(tally, `${name}:sum`, Math.round(value * times * parts));
}

/** Adds to a count; `part` is how its attempts or tries ended, for a count that has parts. */
export const tallyCount = (tally: Tally, name: CountName, by: number, part?: string): void =>
	add(tally, part === undefined ? name : `${name}:${part}`, by);

/** What a tally says of a distribution: how many values were at most each bound, how many there were, and their sum. */
export function distributionIn(
	tally: Tally,
	name: DistributionName,
): { upTo: [bound: number, count: number][]; count: number; sum: number } {
	const { bounds, parts } = DISTRIBUTIONS[name];
	let count = 0;
	const upTo = bounds.map((bound): [number, number] => {
		count += tally[`${name}:${bound}`] ?? 0;
		return [bound, count];
	});
	return { upTo, count: count + (tally[`${name}:more`] ?? 0), sum: (tally[`${name}:sum`] ?? 0) / parts };
}

/** What a tally says of a count, by its parts; of one without parts under the name ''. */
export function countIn(tally: Tally, name: CountName): Record<string, number> {
	if (COUNTS[name].by === null) return { '': tally[name] ?? 0 };
	const parts = Object.entries(tally).filter(([key]) => key.startsWith(`${name}:`));
	return Object.fromEntries(parts.map(([key, count]) => [key.slice(name.length + 1), count]));
}
