import type { WeightingChoice } from '@steelyard/contracts';
import type { FitOutcome } from './fit-model.js';
import type { JudgedUnimodal } from './unimodal-stage.js';

/** What a job has come to when its training is done. */
export type Ending = {
	output: string;
	outcome: Extract<FitOutcome, { status: 'done' }>;
	unimodal: JudgedUnimodal | null;
	deviceNote: string | null;
	/** Of `performance.now`, when the attempt began. */
	started: number;
	/** How the weighting was chosen; not there where the job named it. */
	weightingChoice?: WeightingChoice;
};
