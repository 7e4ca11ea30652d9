import { join } from 'node:path';
import { keptStateOf, TRAINING_STATE } from '@steelyard/contracts';
import { artifactsOf } from './artifacts.js';
import { calibrationOf } from './calibration.js';
import { chosenModel } from './chosen-model.js';
import type { Ending } from './ending.js';
import type { Judged } from './explanation-artifacts.js';
import type { TrainOutcome } from './face.js';
import { intervalsOf } from './intervals.js';
import type { Job } from './job.js';
import { jobResult } from './job-result.js';
import { jobWarnings } from './job-warnings.js';
import { fittedOn, judgedSplits } from './judged-splits.js';
import { throwIfStopped, withRoom } from './stop.js';
import { NOTHING_FITTED, trainedFile } from './trained-file.js';
import { writeWhole } from './whole-file.js';

/** Exports the model, judges it by running the exported graph on every split, and writes the artifacts. */
export async function finish(job: Job, ending: Ending): Promise<TrainOutcome> {
	const { emit } = job;
	emit({ type: 'stage', stage: 'evaluating' });
	throwIfStopped(job);
	const chosen = chosenModel(job, ending.outcome);
	const asTrained = trainedFile(job, chosen, NOTHING_FITTED);
	const fitted = await fittedOn(job, asTrained);
	const file = fitted === NOTHING_FITTED ? asTrained : trainedFile(job, chosen, fitted);
	const splits = await judgedSplits(job, file, ending);
	const { judged } = splits;
	const calibration = calibrationOf(job, judged, fitted.temperature);
	const reported = (judged.find(({ examples }) => examples.name === 'test') ?? judged[1]) as Judged;
	const warnings = jobWarnings(job, { chosen, ending, splits, reported });
	for (const warning of warnings) emit({ type: 'warning', ...warning });
	const intervals = intervalsOf(job, judged);

	emit({ type: 'stage', stage: 'exporting' });
	const parts = { chosen, file, fitted, ending, splits, reported, calibration, intervals, warnings };
	const result = jobResult(job, parts);
	const artifacts = artifactsOf(job, result, parts);
	for (const [name, content] of Object.entries(artifacts)) {
		throwIfStopped(job);
		await withRoom(job, () => writeWhole(join(ending.output, name), content));
	}
	throwIfStopped(job);
	const kept = keptStateOf(job.spec.training) === 'none' ? [] : [TRAINING_STATE];
	return { status: 'done', result, artifacts: [...Object.keys(artifacts), ...kept] };
}
