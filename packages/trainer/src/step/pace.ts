/** The longest that one run should take, in milliseconds: for so long nothing else is heard. */
const LONGEST_RUN = 1000;
/** How long a run is to take that is a part of a longer chunk, in milliseconds. */
const PART = 500;

/** How fast steps are, which no size tells: a chunk that would take too long is run in parts. */
export type Pace = {
	/** How many of `rest` steps the next run takes: one of unknown speed, then all of them where that is quick. */
	next(rest: number): number;
	/** Notes that a run of `steps` steps took so many milliseconds. */
	took(steps: number, ms: number): void;
};

export function openPace(): Pace {
	let ofStep: number | null = null;
	return {
		next(rest) {
			if (ofStep === null) return 1;
			return rest * ofStep <= LONGEST_RUN ? rest : Math.max(1, Math.floor(PART / ofStep));
		},
		took(steps, ms) {
			ofStep = ms / steps;
		},
	};
}
