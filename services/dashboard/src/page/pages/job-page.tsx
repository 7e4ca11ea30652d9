import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { DiagnosticsTab } from '../job/diagnostics-tab.js';
import { EvaluationTab } from '../job/evaluation-tab.js';
import { FilesTab } from '../job/files-tab.js';
import { JobActions } from '../job/job-actions.js';
import { followJob, unknownJob } from '../job/job-view.js';
import { LogTab } from '../job/log-tab.js';
import { OverviewTab } from '../job/overview-tab.js';
import { SpecTab } from '../job/spec-tab.js';
import { TrainingTab } from '../job/training-tab.js';
import { WeightsTab } from '../job/weights-tab.js';
import { isVisible } from '../live/visibility.js';
import type { PageProps } from '../pages.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { Status } from '../parts/status.js';
import { linkTo, place } from '../router.js';
import { client } from '../session.js';
import { SweepLink } from '../sweeps/sweep-link.js';

const TABS = [
	['overview', 'Overview'],
	['training', 'Training'],
	['weights', 'Weights'],
	['evaluation', 'Evaluation'],
	['diagnostics', 'Modalities'],
	['log', 'Log'],
	['files', 'Files'],
	['spec', 'Spec'],
] as const;
type Tab = (typeof TABS)[number][0];

const isTab = (text: string | null): text is Tab => TABS.some(([tab]) => tab === text);

/** One job: what it does, how it learned, what it trusts, how good it is, and its files. */
export function JobPage({ params }: PageProps): VNode {
	const id = params['id'] ?? '';
	const view = useMemo(unknownJob, [id]);
	const turn = useSignal(0);
	useSignalEffect(() => {
		void turn.value;
		if (!isVisible.value) return;
		const left = new AbortController();
		followJob(view, client.value, id, left.signal);
		return () => left.abort();
	});
	const again = (): void => void turn.value++;
	const tab = useComputed<Tab>(() => {
		const asked = place.value.query.get('tab');
		return isTab(asked) ? asked : 'overview';
	});
	const job = view.job.value;
	if (job === null)
		return view.error.value === null ? (
			<PageTitle title={id} above="Loading …" />
		) : (
			<>
				<PageTitle title={id} above="Job" />
				<Problem error={view.error.value} title="The job could not be read" again={again} />
			</>
		);
	const shown = { view, job };
	return (
		<>
			<PageTitle
				title={job.spec.name ?? job.id}
				above={
					<>
						<a href="#/jobs">Jobs</a> ·{' '}
						{job.sweep !== undefined && (
							<>
								<SweepLink sweep={job.sweep} /> ·{' '}
							</>
						)}
						<Status job={job} />
					</>
				}
			>
				<JobActions job={job} changed={again} />
			</PageTitle>
			{view.error.value !== null && <Problem error={view.error.value} title="What follows may be old" again={again} />}
			<nav class="tabs" aria-label="Parts of the job">
				{TABS.map(([name, title]) => (
					<a
						key={name}
						href={linkTo(`/jobs/${id}`, name === 'overview' ? {} : { tab: name })}
						aria-current={tab.value === name ? 'page' : undefined}
					>
						{title}
					</a>
				))}
			</nav>
			<h2 class="unseen">{TABS.find(([name]) => name === tab.value)?.[1]}</h2>
			{tab.value === 'overview' && <OverviewTab {...shown} />}
			{tab.value === 'training' && <TrainingTab {...shown} />}
			{tab.value === 'weights' && <WeightsTab {...shown} />}
			{tab.value === 'evaluation' && <EvaluationTab {...shown} />}
			{tab.value === 'diagnostics' && <DiagnosticsTab {...shown} />}
			{tab.value === 'log' && <LogTab {...shown} />}
			{tab.value === 'files' && <FilesTab {...shown} />}
			{tab.value === 'spec' && <SpecTab {...shown} />}
		</>
	);
}
