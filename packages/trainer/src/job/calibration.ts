import type { Calibration, JobResult } from '@steelyard/contracts';
import { labelsOf } from '../model/examples.js';
import { reliabilityOf, uncalibrated } from '../report/calibration.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';

/** How far the probabilities of an exported model are borne out, by split; null where rows have no classes or labels, and where a graph gives no predictions. */
export function calibrationOf({ task }: Pick<Job, 'task'>, judged: readonly Judged[], temperature: number | null): Calibration | null {
	if (task.type === 'regression' || task.positions !== undefined) return null;
	const splits: Calibration['splits'] = {};
	for (const { examples, evaluation } of judged) {
		const { predictions } = evaluation;
		if (predictions === null || 'values' in predictions) return null;
		const labels = labelsOf(examples);
		splits[examples.name] = {
			exported: reliabilityOf(task, predictions, labels),
			before: temperature === null ? null : reliabilityOf(task, uncalibrated(task, predictions, temperature), labels),
		};
	}
	return { object: 'calibration', temperature, splits };
}

/** What a result tells of it. */
export function calibrationSummary({ temperature, splits }: Calibration): NonNullable<JobResult['calibration']> {
	const errors = (of: 'exported' | 'before') =>
		Object.fromEntries(Object.entries(splits).flatMap(([name, split]) => (split[of] === null ? [] : [[name, split[of].ece]])));
	return { temperature, ece: errors('exported'), ...(temperature === null ? {} : { ece_before: errors('before') }) };
}
