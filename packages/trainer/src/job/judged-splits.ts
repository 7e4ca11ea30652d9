import type { Robustness } from '@steelyard/contracts';
import { createSession } from '@steelyard/runtime';
import { type Examples, labelsOf, taken } from '../model/examples.js';
import { temperatureOf } from '../report/calibration.js';
import { numbersOf, type Predictions, predictionsFrom } from '../report/predictions.js';
import { thresholdsOf } from '../report/thresholds.js';
import type { ModalityGain } from '../report/warnings.js';
import type { Ending } from './ending.js';
import type { Evaluation } from './evaluate.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import { modalityGains } from './modality-gains.js';
import { EvaluationError, overRows } from './over-rows.js';
import { robustnessOf } from './robustness.js';
import { stoppable } from './stop.js';
import { type Fitted, NOTHING_FITTED, type TrainedFile } from './trained-file.js';

/** The splits that the file could be run over, in the order in which results name them, why it could not be run over the others, what each modality adds on validation, and what happens where one breaks; null where the spec does not want that. */
export type JudgedSplits = {
	readonly judged: readonly Judged[];
	readonly failed: ReadonlyMap<string, EvaluationError>;
	readonly gains: readonly ModalityGain[];
	readonly robustness: Robustness | null;
};

/** Predictions of classes or labels. */
type Classified = Extract<Predictions, { logits: Float32Array }>;

/** Of positions, whose losses are looked at as they are gathered, and of a graph that gives a loss and no logits. */
const NO_NUMBERS = new Float32Array(0);

/** Opens a file to run it over examples; the session is to be released. */
export async function openFile(job: Job, { judged, judge }: Pick<TrainedFile, 'judged' | 'judge'>) {
	const session = stoppable(await createSession(judged, { threads: job.spec.training.threads }), job);
	const evaluate = (examples: Examples): Promise<Evaluation> =>
		overRows(
			examples,
			(places) => judge(session, taken(examples, places)),
			({ predictions }) => (predictions === null ? NO_NUMBERS : numbersOf(predictions)),
		);
	return { session, evaluate };
}

/** What is fitted on validation, as the job asks for it, by running the file as it was trained: first the temperature, then thresholds of the probabilities under it. */
export async function fittedOn(job: Job, file: TrainedFile): Promise<Fitted> {
	const { task, spec, validation } = job;
	const { calibration, thresholds } = spec.evaluation ?? {};
	if (calibration !== 'temperature' && thresholds !== 'f1') return NOTHING_FITTED;
	const { session, evaluate } = await openFile(job, file);
	try {
		const { logits } = (await evaluate(validation)).predictions as Classified;
		const labels = labelsOf(validation);
		const temperature = calibration === 'temperature' ? temperatureOf(task, logits, labels) : null;
		const divided = predictionsFrom(task, temperature === null ? logits : logits.map((z) => z / temperature)) as Classified;
		return { temperature, thresholds: thresholds === 'f1' ? thresholdsOf(divided.probabilities, labels, task.outputs) : null };
	} finally {
		await session.release();
	}
}

/** Runs the file over every split of the job. Throws EvaluationError where it fails for training or validation, which it was chosen by. */
export async function judgedSplits(
	job: Job,
	{ judged: file, judge }: TrainedFile,
	{ unimodal, outcome: { epochs } }: Pick<Ending, 'unimodal' | 'outcome'>,
): Promise<JudgedSplits> {
	const { session, evaluate } = await openFile(job, { judged: file, judge });
	try {
		const judged: Judged[] = [];
		for (const examples of [job.train, job.validation]) judged.push({ examples, evaluation: await evaluate(examples) });
		const failed = new Map<string, EvaluationError>();
		for (const examples of job.others) {
			try {
				judged.push({ examples, evaluation: await evaluate(examples) });
			} catch (error) {
				if (!(error instanceof EvaluationError)) throw error;
				failed.set(examples.name, error);
			}
		}
		const gains = await modalityGains(
			job,
			judged[1] as Judged,
			async (examples) => (await judge(session, examples, false)).predictions as Predictions,
		);
		const isWanted = job.spec.evaluation?.robustness ?? true;
		const robustness = isWanted
			? await robustnessOf(job, { judge: (examples, ranks) => judge(session, examples, ranks), judged, unimodal, epochs })
			: null;
		return { judged, failed, gains, robustness };
	} finally {
		await session.release();
	}
}
