import type { JobResult } from '@steelyard/contracts';
import { labelsOf } from '../model/examples.js';
import { bootstrapInterval, resamplesOf, resamplingWords } from '../report/bootstrap.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import { mainMetricOf } from './metric-of.js';
import { throwIfStopped } from './stop.js';

/**
 * Bootstrap intervals of the main metric and of the loss, and of coverage and width of quantiles, over the rows of each split; none of a loss that is no mean over rows of one output, and none where rows have many
 * positions. Asks before each whether the job is to stop.
 */
export function intervalsOf(job: Job, judged: readonly Judged[]): NonNullable<JobResult['intervals']> {
	const { task, loss, spec, fusion } = job;
	const { seed } = spec.training;
	const ofRows = judged.filter(({ evaluation }) => evaluation.predictions !== null);
	if (ofRows.length === 0) return {};
	const words = resamplingWords(seed, Math.max(...ofRows.map(({ examples }) => examples.rows.length)));
	const isMean = fusion.ownLoss === null && fusion.auxiliary.length === 0;
	return Object.fromEntries(
		ofRows.map(({ examples, evaluation: { metrics, predictions } }) => {
			const ofQuantiles = task.quantiles === undefined ? [] : ['coverage', 'interval_width'];
			const names = new Set([mainMetricOf(spec, metrics), 'loss', ...ofQuantiles].filter((name) => name !== 'loss' || isMean));
			const rows = { task, loss, predictions: predictions as NonNullable<typeof predictions>, labels: labelsOf(examples) };
			const resamples = resamplesOf(examples.rows.length, words, seed);
			const found = [...names].map((name) => {
				throwIfStopped(job);
				return [name, bootstrapInterval(rows, name, metrics[name] ?? null, resamples)] as const;
			});
			return [examples.name, Object.fromEntries(found)];
		}),
	);
}
