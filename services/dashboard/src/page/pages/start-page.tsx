import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useLoading } from '../loading.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';
import { EmptyStart } from '../start/empty-start.js';
import { UsedStart } from '../start/used-start.js';
import '../parts/service-state.css';
import '../start/start.css';

/** Milliseconds between two looks at workers and disk. */
const EVERY = 5000;

export function StartPage(): VNode {
	// While the sample is loaded the service is no longer empty, and the page goes on showing how far that is.
	const step = useSignal<number | null>(null);
	const state = useLoading(async () => {
		const { value } = client;
		const [ready, usage] = await Promise.all([value.ready(), value.usage()]);
		return { ready, usage };
	});
	useEffect(() => {
		const timer = setInterval(() => {
			if (!state.peek().isLoading && !document.hidden) state.again();
		}, EVERY);
		return () => clearInterval(timer);
	}, []);
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
	const { datasets, jobs } = value.usage.project;
	const isEmpty = (datasets.count === 0 && jobs.count === 0) || step.value !== null;
	return (
		<>
			{error !== null && <Problem error={error} title="What stands here may be old" again={() => state.again()} />}
			{isEmpty ? <EmptyStart step={step} /> : <UsedStart ready={value.ready} usage={value.usage} />}
		</>
	);
}
