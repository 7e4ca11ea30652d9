import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { Interval } from './job.js';
import { resourceName } from './naming.js';
import { nullable } from './nullable.js';
import { ownProject } from './project.js';
import { JobRequest, type Partially, requestOf } from './request.js';
import { SweepSearch } from './sweep-search.js';
import type { Json } from './sweep-space.js';

const closed = { additionalProperties: false } as const;

/** The spec of a sweep as the service keeps it, with every default filled in but those of its job, which a dimension may set. `SweepRequest` is what a client posts. */
export const SweepSpec = Type.Object(
	{
		name: Type.Optional(resourceName('what the sweep is called, for people')),
		job: JobRequest,
		metric: Type.String({
			minLength: 1,
			maxLength: 200,
			default: 'loss',
			description: 'the metric on validation that the trials are compared by, as the result of a job names it',
		}),
		...SweepSearch.properties,
	},
	{ ...closed, description: 'which jobs are tried, and what they are compared by' },
);
export type SweepSpec = Static<typeof SweepSpec>;

/** What a client posts: everything that has a default may be left out. */
export type SweepRequest = Pick<SweepSpec, 'job' | 'space' | 'budget'> & Partially<SweepSpec>;
export const SweepRequest = Type.Unsafe<SweepRequest>(requestOf(SweepSpec));

export const SWEEP_STATUSES = ['running', 'paused', 'succeeded', 'failed', 'cancelled'] as const;
export type SweepStatus = (typeof SWEEP_STATUSES)[number];

const Assignment = Type.Record(Type.String(), Type.Unsafe<Json>({ description: 'any value of JSON' }), {
	description: 'the value of each dimension that exists, by the path of the field of the job',
});

export const TRIAL_STATES = ['completed', 'pruned', 'running', 'failed'] as const;

/** One assignment, trained with one seed. */
export const SweepTrial = Type.Object({
	trial: Type.Integer({ description: 'its number, from 0' }),
	job: Type.String({ description: 'its job; where it went on over several rungs, that of the last one' }),
	assignment: Assignment,
	seed: Type.Integer({ description: 'which of the seeds of the assignment, from 0' }),
	state: choice(TRIAL_STATES, {
		description:
			'completed: trained to its end; pruned: not trained further, though the sweep may still do so until it has ended; running: it waits for a worker or is trained; failed: its job failed, was cancelled or has no such metric',
	}),
	epochs: Type.Integer({ description: 'for which it was trained where its value was measured; 0 without one' }),
	value: nullable(Type.Number({ description: 'of the metric; null where there is none yet' })),
});
export type SweepTrial = Static<typeof SweepTrial>;

/** A sweep and what it has found. */
export const SweepResource = Type.Object({
	id: Type.String({ description: 'swp_ and 26 characters' }),
	object: choice(['sweep'], { description: 'what kind of resource this is' }),
	project: ownProject,
	status: choice(SWEEP_STATUSES, {
		description:
			'succeeded: the budget is spent and a trial has a value; failed: no trial has one; paused: no trial is started, those that run go on',
	}),
	created_at: Type.Integer({ description: 'unix seconds' }),
	finished_at: nullable(Type.Integer({ description: 'unix seconds; null before the sweep ended' })),
	spec: SweepSpec,
	counts: Type.Object(
		Object.fromEntries(TRIAL_STATES.map((state) => [state, Type.Integer({ description: 'how many trials' })])) as Record<
			(typeof TRIAL_STATES)[number],
			ReturnType<typeof Type.Integer>
		>,
		{ description: 'how many trials are in each state' },
	),
	best: nullable(
		Type.Object(
			{
				assignment: Assignment,
				jobs: Type.Array(Type.String(), { description: 'the jobs of its seeds, that of the best value first' }),
				...Interval.properties,
				low: nullable(Interval.properties.low),
				high: nullable(Interval.properties.high),
			},
			{
				description:
					'the assignment whose trials have the best mean: its value and, of several seeds, the 95 % interval of the mean by Student; null before a trial was trained to its end',
			},
		),
	),
	trials: Type.Array(SweepTrial, { description: 'best first; not in lists' }),
	importance: nullable(
		Type.Record(Type.String(), Type.Number(), {
			description:
				'the share of each dimension in what makes trials good (PED-ANOVA, Watanabe et al. 2023), in lists and before twenty assignments null',
		}),
	),
});
export type SweepResource = Static<typeof SweepResource>;
