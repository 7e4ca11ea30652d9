import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JobEventBody, ProblemError, type SingleJobSpec, type WeightingChoice } from '@steelyard/contracts';
import { chooseWeighting, type JudgedCandidate } from '../report/weighting-choice.js';
import type { TrainOptions } from './face.js';
import { remainingSeconds } from './job.js';
import { judgeCandidate, SHUFFLES } from './judge-candidate.js';
import { metricOf } from './metric-of.js';
import { withRoom } from './stop.js';
import { trainModels } from './train-models.js';
import { VERSION } from './version.js';
import { writeWhole } from './whole-file.js';

/** Share of the progress of a job that its candidates are; the rest is the export of the chosen one. */
const CANDIDATES_SHARE = 0.9;

/** Where a candidate is trained: below the checkpoints, so that it is kept as long as they are. */
const folderOf = (output: string, preset: string): string => join(output, 'checkpoints', 'candidates', preset);

/** Beside the checkpoints of a candidate that is trained and judged. */
const JUDGED = 'judged.json';

/** What is kept of a candidate that was judged, with what it depends on that may be another one at the next attempt. */
type KeptJudgement = {
	readonly version: string;
	readonly spec: SingleJobSpec;
	readonly rows: number;
	readonly judged: Omit<JudgedCandidate, 'preset'>;
};

/** The newest judgement of a candidate in some folders; null where there is none, or it is of another spec. */
async function keptIn(folders: readonly string[], spec: SingleJobSpec): Promise<KeptJudgement | null> {
	for (const folder of folders) {
		const text = await readFile(join(folder, JUDGED), 'utf8').catch((error: NodeJS.ErrnoException) => {
			if (error.code !== 'ENOENT') throw error;
			return null;
		});
		const kept = text === null ? null : (JSON.parse(text) as KeptJudgement);
		if (kept?.version === VERSION && JSON.stringify(kept.spec) === JSON.stringify(spec)) return kept;
	}
	return null;
}

/**
 * The events of one part of a job among several: its progress is that part of the whole, and its models have names of their own, so that the curves of candidates are told
 * apart. What is said once is said by the first part.
 */
function eventsOf({ emit }: TrainOptions, remaining: ReturnType<typeof remainingSeconds>) {
	let isTold = false;
	return (from: number, to: number, prefix: string) =>
		(event: JobEventBody): void => {
			if (event.type === 'stage' && event.stage === 'preparing' && from > 0) return;
			if (event.type === 'device') {
				if (isTold) return;
				isTold = true;
			}
			if (event.type === 'progress') {
				const progress = from + (to - from) * event.progress;
				emit({ ...event, model: `${prefix}${event.model}`, progress, eta_seconds: remaining(progress) });
			} else if (event.type === 'epoch') emit({ ...event, model: `${prefix}${event.model}` });
			else emit(event);
		};
}

/**
 * Trains a job with each of its candidates, as a job of its own below the checkpoints of this one, and judges each on validation. A job that was stopped goes on with the
 * candidate where it was. Resolves with the choice, and with the options of the job that the chosen one is: it goes on from the last checkpoint of the candidate, and so comes
 * to what a job with that weighting alone comes to, in every bit.
 */
export async function trainCandidates(
	options: TrainOptions,
	candidates: readonly SingleJobSpec[],
): Promise<{ status: 'done'; choice: WeightingChoice; options: TrainOptions } | { status: 'stopped' }> {
	const { output, earlier = [] } = options;
	const tell = eventsOf(options, remainingSeconds());
	const judged: JudgedCandidate[] = [];
	let rows = 0;
	for (const [i, spec] of candidates.entries()) {
		const { preset } = spec.weighting;
		const [own, ...before] = [output, ...earlier].map((folder) => folderOf(folder, preset)) as [string, ...string[]];
		const share = CANDIDATES_SHARE / candidates.length;
		const known = await keptIn([own, ...before], spec);
		const found: KeptJudgement | { status: 'stopped' } =
			known ??
			(await (async () => {
				await mkdir(own, { recursive: true });
				const emit = tell(i * share, (i + 1) * share, `${preset}: `);
				return trainModels({ ...options, spec, output: own, earlier: before, emit }, async (job, ending) => {
					if (job.validation.rows.length === 0)
						throw new ProblemError('invalid_dataset', 'weighting auto chooses by validation rows, and there are none', 'weighting.preset');
					const kept: KeptJudgement = {
						version: VERSION,
						spec,
						rows: job.validation.rows.length,
						judged: await judgeCandidate(job, ending),
					};
					await withRoom(job, () => writeWhole(join(own, JUDGED), JSON.stringify(kept)));
					return kept;
				});
			})());
		if ('status' in found) return found;
		rows = found.rows;
		judged.push({ preset, ...found.judged });
	}
	const choice = chooseWeighting(metricOf(options.spec), judged, { rows, shuffles: SHUFFLES });
	const chosen = candidates.find(({ weighting }) => weighting.preset === choice.chosen) as SingleJobSpec;
	const trained = [output, ...earlier].map((folder) => folderOf(folder, choice.chosen));
	const emit = tell(CANDIDATES_SHARE, 1, '');
	return { status: 'done', choice, options: { ...options, spec: chosen, earlier: [...earlier, ...trained], emit } };
}
