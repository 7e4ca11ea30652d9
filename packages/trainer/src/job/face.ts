import type { JobEventBody, JobResult, JobSpec } from '@steelyard/contracts';
import type { Devices } from '@steelyard/runtime';

/** What a part of the training took. `steps`: a run of that many optimizer steps; `refresh`: new training weights; `checkpoint`: one that was written. */
export type Measurement =
	| { of: 'steps'; steps: number; rows: number; seconds: number }
	| { of: 'refresh'; seconds: number }
	| { of: 'checkpoint'; seconds: number; bytes: number };

export type TrainOptions = {
	spec: JobSpec;
	/** Folder of a validated dataset, as `ingest` of @steelyard/dataset leaves it. */
	dataset: string;
	/** File of the uploaded graph, for the family `custom`. */
	model?: string;
	/** File that another job has kept of its training, for `training.initialise_from`. */
	source?: string;
	/** Existing folder, private to this attempt; receives `model.onnx`, `report.json`, `metrics.json`, … and `checkpoints/`. */
	output: string;
	/** Folders of earlier attempts of the same job, newest first; training goes on from the newest whole checkpoint found there. */
	earlier?: readonly string[];
	/** What can be trained on here, as `probeDevices` found; tried anew unless given. */
	devices?: Devices;
	/**
	 * Whether values of the forward pass are computed a second time instead of kept, whatever the spec says: takes less memory and more time. Results, and the
	 * checkpoints of other attempts that are gone on from, are equal either way, but for the rounding of a few products at most.
	 */
	sparesMemory?: boolean;
	/** Called in order for everything that happens. */
	emit: (event: JobEventBody) => void;
	/** Called with what was measured, on which results do not depend. */
	measured?: (measurement: Measurement) => void;
	/** Asked between chunks; true ends training after a last checkpoint. Also asked before every run over a batch of rows that are judged, and every artifact; the judging then begins anew at the next attempt. */
	stopped: () => boolean;
};

/** `artifacts` are file names in `output`. */
export type TrainOutcome = { status: 'done'; result: JobResult; artifacts: string[] } | { status: 'stopped' };
