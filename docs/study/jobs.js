// Which jobs the study has, and in which order they run.
import { CONDITIONS } from './conditions.js';
import { DATASETS } from './datasets.js';
import { METHODS, SEEDS, specOf } from './methods.js';

/** @typedef {import('./results.js').Key & {spec: object}} StudyJob */

/**
 * Every job, seed by seed: whatever ends the study early leaves all cells with fewer seeds, not some cells without any.
 * @param {{epochs?: number}} [shortened] training settings that replace the fixed ones, for a trial
 * @returns {StudyJob[]}
 */
export function studyJobs(shortened) {
	return SEEDS.flatMap((seed) =>
		Object.keys(DATASETS).flatMap((dataset) =>
			CONDITIONS.flatMap((condition) =>
				Object.keys(METHODS).map((method) => ({ dataset, condition, method, seed, spec: specOf(dataset, method, seed, shortened) })),
			),
		),
	);
}

/**
 * Reads filters such as `dataset=rosmap,dataset=mosi_std,seed=1`: a job passes where each name that is given has its value among those given.
 * Throws RangeError where a name or value is not one of the study.
 * @param {readonly string[]} texts
 * @returns {(job: StudyJob) => boolean}
 */
export function filterOf(texts) {
	const known = { dataset: Object.keys(DATASETS), condition: CONDITIONS, method: Object.keys(METHODS), seed: SEEDS.map(String) };
	/** @type {Map<string, Set<string>>} */
	const wanted = new Map();
	for (const text of texts.flatMap((given) => given.split(','))) {
		const [name = '', value = ''] = text.split('=');
		const values = known[/** @type {keyof typeof known} */ (name)];
		if (values === undefined) throw new RangeError(`--only ${text}: expected one of ${Object.keys(known).join(', ')} before "="`);
		if (!values.includes(value)) throw new RangeError(`--only ${text}: expected one of ${values.join(', ')} after "="`);
		wanted.set(name, (wanted.get(name) ?? new Set()).add(value));
	}
	return (job) => [...wanted].every(([name, values]) => values.has(String(job[/** @type {keyof typeof known} */ (name)])));
}

/**
 * Runs jobs, some at a time, and hands over each result as soon as it is there. A job that fails does not keep others from running.
 * @template T
 * @param {readonly StudyJob[]} jobs
 * @param {object} how
 * @param {number} how.parallel
 * @param {(job: StudyJob) => Promise<T>} how.run
 * @param {(job: StudyJob, result: T) => Promise<void>} how.record
 * @param {(job: StudyJob, error: Error) => void} how.failed
 * @param {() => boolean} how.stopped no further job is begun, and what a running one meets is not told
 */
export async function runJobs(jobs, { parallel, run, record, failed, stopped }) {
	const waiting = jobs.values();
	const lane = async () => {
		for (const job of waiting) {
			if (stopped()) return;
			try {
				const result = await run(job);
				await record(job, result);
			} catch (error) {
				if (stopped()) return;
				failed(job, /** @type {Error} */ (error));
			}
		}
	};
	await Promise.all(Array.from({ length: parallel }, lane));
}
