import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useLoading } from '../loading.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';
import { EmptyStart } from '../start/empty-start.js';
import { UsedStart } from '../start/used-start.js';
import { useAgain } from '../use-again.js';
import '../parts/service-state.css';
import '../start/start.css';

/** Milliseconds between two looks at workers and disk. */
const EVERY = 5000;

export function StartPage(): VNode {
	// While the sample is loaded the service is no longer empty, and the page goes on showing how far that is.
	const step = useSignal<number | null>(null);
	const state = useLoading(async () => {
		const { datasets, jobs, keys, ready, usage } = client.value;
		const [{ scope }, state, oneDataset, oneJob] = await Promise.all([
			keys.self(),
			ready(),
			datasets.list({ limit: 1 }),
			jobs.list({ limit: 1 }),
		]);
		const isEmpty = oneDataset.data.length === 0 && oneJob.data.length === 0;
		return { ready: state, usage: scope === 'admin' ? await usage() : null, isEmpty };
	});
	useAgain(state, EVERY);
	const { value, error } = state.value;
	if (value === null)
		return (
			<>
				<PageTitle title="Start" />
				{error === null ? (
					<p class="quiet" role="status">
						Loading …
					</p>
				) : (
					<Problem error={error} title="The service could not be asked how it is" again={() => state.again()} />
				)}
			</>
		);
	return (
		<>
			{error !== null && <Problem error={error} title="What stands here may be old" again={() => state.again()} />}
			{value.isEmpty || step.value !== null ? <EmptyStart step={step} /> : <UsedStart ready={value.ready} usage={value.usage} />}
		</>
	);
}
