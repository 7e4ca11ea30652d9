import {
	isFinal,
	type JobResource,
	nullWhereNewer,
	ProblemError,
	parseJobSpec,
	type SweepResource,
	type SweepSpec,
} from '@steelyard/contracts';
import { type Decision, nextDecision, type Outcome, type Start } from '@steelyard/search';
import { createId, listIds, type Store } from '@steelyard/store';
import { newJob } from '../new-job.js';
import type { Jobs, Sweeps } from '../queue.js';
import { type Decided, openSweepFiles, type SweepState } from './sweep-files.js';
import { planOf, sweepResource } from './sweep-resource.js';
import { type Before, trialSpec } from './trial-spec.js';

type Parts = { store: Store; jobs: Jobs; enqueue: (id: string) => Promise<void> };

const now = (): number => Math.floor(Date.now() / 1000);

/** Epochs of a trial that is trained to its end. */
const epochsOf = ({ job }: SweepSpec): number => parseJobSpec(job).training.epochs;

/** The job of a decision was the last but one of its trial. */
function beforeOf(decided: readonly Decided[], number: number): { start: Start; before: Before | null } {
	const { decision } = decided[number] as Decided;
	const of = decided.slice(0, number + 1).filter(({ decision: { trial } }) => trial === decision.trial);
	const last = of.at(-2);
	return {
		start: (of[0] as Decided).decision as Start,
		before: last === undefined ? null : { job: last.job, epochs: last.decision.epochs },
	};
}

/** What came of a job that has ended. */
function outcomeOf({ status, result }: JobResource, metric: string): Outcome {
	const value = result?.metrics['validation']?.[metric];
	return status === 'succeeded' && typeof value === 'number' && Number.isFinite(value) ? { value } : { failed: true };
}

/** The decisions that a sweep begins with. */
function firstDecisions(plan: ReturnType<typeof planOf>): Decision[] {
	const decisions: Decision[] = [];
	for (;;) {
		const next = nextDecision(plan, decisions, []);
		if (typeof next === 'string') return decisions;
		decisions.push(next);
	}
}

/** Opens the sweeps of an installation; see `Sweeps`. */
export function openSweeps({ store, jobs, enqueue }: Parts): Sweeps {
	const files = openSweepFiles(store);
	/** What is done for a sweep in this process, one after the other. */
	const doing = new Map<string, Promise<void>>();
	/** Sweeps that have ended, which do so once. */
	const ended = new Set<string>();

	function inTurn(id: string, work: () => Promise<void>): Promise<void> {
		const turn = (doing.get(id) ?? Promise.resolve()).catch(() => {}).then(work);
		const kept = turn.finally(() => {
			if (doing.get(id) === kept) doing.delete(id);
		});
		doing.set(id, kept);
		return kept;
	}

	/** Makes the job of a decision unless there is one; a decision whose values make no job has failed. */
	async function start({ record, decided }: SweepState, number: number): Promise<void> {
		const { decision, job: id } = decided[number] as Decided;
		const { start: begun, before } = beforeOf(decided, number);
		let spec: JobResource['spec'];
		try {
			spec = trialSpec(record.id, record.spec, begun, decision, before);
		} catch (error) {
			if (!(error instanceof ProblemError)) throw error;
			return files.conclude(record.id, number, { failed: true });
		}
		const job = newJob(spec, { project: record.project, sweep: { id: record.id, trial: decision.trial } }, id);
		await jobs.create(job).catch((error: unknown) => {
			if (!(error instanceof ProblemError && error.code === 'conflict')) throw error;
		});
		await enqueue(id);
	}

	/** A job after it was asked to end, if it had not. */
	async function cancelled(job: JobResource): Promise<JobResource | null> {
		if (isFinal(job.status)) return job;
		try {
			return await jobs.requestCancel(job.id);
		} catch (error) {
			if (!(error instanceof ProblemError && ['job_not_cancellable', 'not_found'].includes(error.code))) throw error;
			return jobs.get(job.id);
		}
	}

	/** Notes what came of the jobs that have ended, and makes or cancels those that are to be. */
	async function follow(state: SweepState): Promise<void> {
		for (const [number, { job: id }] of state.decided.entries()) {
			if (state.outcomes[number] !== undefined) continue;
			const job = await jobs.get(id);
			if (job === null && state.wish !== 'cancelled') {
				await start(state, number);
				continue;
			}
			const now = job !== null && state.wish === 'cancelled' ? await cancelled(job) : job;
			if (now === null) await files.conclude(state.record.id, number, { failed: true });
			else if (isFinal(now.status)) await files.conclude(state.record.id, number, outcomeOf(now, state.record.spec.metric));
		}
	}

	/** Whether no trial is to be started any more, because the user or the budget says so. */
	const isOver = ({ wish, record: { created_at, spec } }: SweepState): boolean =>
		wish === 'cancelled' || (spec.budget.seconds !== undefined && now() - created_at >= spec.budget.seconds);

	async function take(id: string): Promise<void> {
		for (;;) {
			const before = await files.read(id);
			if (before === null || before.end !== null) {
				if (before !== null) ended.add(id);
				return;
			}
			await follow(before);
			const state = (await files.read(id)) as SweepState | null;
			if (state === null) return;
			const { decided, outcomes, record, wish } = state;
			const decisions = decided.map(({ decision }) => decision);
			const isKnown = decisions.every((_, number) => outcomes[number] !== undefined);
			const next = isOver(state) ? 'done' : nextDecision(planOf(state, epochsOf(record.spec)), decisions, outcomes);
			if (next === 'done' && isKnown) {
				const hasValue = outcomes.some((outcome) => outcome !== undefined && 'value' in outcome);
				const status = wish === 'cancelled' ? 'cancelled' : hasValue ? 'succeeded' : 'failed';
				await files.end(id, { status, finished_at: now() });
				continue;
			}
			if (typeof next === 'string' || wish === 'paused') return;
			await files.decide(id, decisions.length, { decision: next, job: createId('job') });
			await start((await files.read(id)) as SweepState, decisions.length);
		}
	}

	async function get(id: string): Promise<SweepResource | null> {
		const state = await files.read(id);
		return state === null ? null : sweepResource(state, epochsOf(state.record.spec));
	}

	/** A sweep that has not ended. Throws ProblemError `not_found` and `conflict`. */
	async function expectOpen(id: string): Promise<SweepState> {
		const state = await files.read(id);
		if (state === null) throw new ProblemError('not_found', `There is no sweep ${id}`, 'id');
		if (state.end !== null)
			throw new ProblemError('conflict', `${id} has already ${state.end.status === 'cancelled' ? 'been ' : ''}${state.end.status}`, 'id');
		return state;
	}

	const advance = (id: string): Promise<void> => (ended.has(id) ? Promise.resolve() : inTurn(id, () => take(id)));

	return {
		check(spec) {
			const state = { record: { id: 'the sweep', project: '', created_at: 0, spec } };
			const decisions = firstDecisions(planOf(state, epochsOf(spec)));
			return decisions.map((decision) => {
				try {
					return trialSpec(state.record.id, spec, decision as Start, decision, null);
				} catch (error) {
					if (!(error instanceof ProblemError)) throw error;
					const values = JSON.stringify((decision as Start).assignment);
					throw new ProblemError(error.code, `trial ${decision.trial} of the space, ${values}, makes no job: ${error.message}`, 'space');
				}
			});
		},
		async create(project, spec) {
			const id = createId('swp');
			await files.create({ id, project, created_at: now(), spec });
			await advance(id);
			return (await get(id)) as SweepResource;
		},
		get,
		isOpen: files.isOpen,
		async wish(id, status) {
			const { wish } = await expectOpen(id);
			if (wish === 'cancelled' && status !== 'cancelled') throw new ProblemError('conflict', `${id} is being cancelled`, 'id');
			await files.wish(id, status);
			await advance(id);
			return (await get(id)) as SweepResource;
		},
		async remove(id) {
			const state = await files.read(id);
			if (state === null) throw new ProblemError('not_found', `There is no sweep ${id}`, 'id');
			if (state.end === null) throw new ProblemError('conflict', `${id} has not ended: cancel it first`, 'id');
			await files.remove(id);
		},
		advance,
		async advanceAll() {
			for (const id of await listIds(store, 'swp')) await advance(id).catch(nullWhereNewer);
		},
	};
}
