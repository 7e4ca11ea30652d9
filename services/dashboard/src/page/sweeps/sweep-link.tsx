import type { JobResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { shortId } from '../format.js';
import { linkTo } from '../router.js';

/** Leads to the sweep that made a job, and says which of its trials the job is. */
export const SweepLink = ({ sweep: { id, trial } }: { sweep: NonNullable<JobResource['sweep']> }): VNode => (
	<>
		<a href={linkTo(`/sweeps/${id}`)} title={id}>
			Sweep {shortId(id)}
		</a>
		, trial {trial}
	</>
);
