import type { JobEventBody, JobResult, JobSpec } from '@steelyard/contracts';

export type TrainOptions = {
	spec: JobSpec;
	/** Folder of a validated dataset, as `ingest` of @steelyard/dataset leaves it. */
	dataset: string;
	/** File of the uploaded graph, for the family `custom`. */
	model?: string;
	/** Existing folder, private to this attempt; receives `model.onnx`, `report.json`, `metrics.json`, … and `checkpoints/`. */
	output: string;
	/** Folders of earlier attempts of the same job, newest first; training goes on from the newest whole checkpoint found there. */
	earlier?: readonly string[];
	/** Called in order for everything that happens. */
	emit: (event: JobEventBody) => void;
	/** Asked between chunks; true ends training after a last checkpoint. Also asked before every run over a batch of rows that are judged, and every artifact; the judging then begins anew at the next attempt. */
	stopped: () => boolean;
};

/** `artifacts` are file names in `output`. */
export type TrainOutcome = { status: 'done'; result: JobResult; artifacts: string[] } | { status: 'stopped' };
