import type { VNode } from 'preact';
import { useLoading } from '../loading.js';
import { type Draft, draftOf } from '../new-job/draft.js';
import { formOf } from '../new-job/fields.js';
import { type ApiDocument, bodyOf } from '../new-job/json-schema.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { place } from '../router.js';
import { client, fetchDocument } from '../session.js';
import { emptySweep, sweepLike, sweepOf } from '../sweeps/begun-sweep.js';
import { SweepForm } from '../sweeps/sweep-form.js';
import '../new-job/new-job.css';

/** What the form begins with: the settings of a job, another sweep, or nothing but a dataset. */
type Beginning = { readonly from: string | null; readonly like: string | null; readonly dataset: string | null };

/** Makes the draft that the address asks for, and names the metrics that its job has. */
async function begin({ from, like, dataset }: Beginning, signal: AbortSignal): Promise<{ draft: Draft; metrics: string[] }> {
	const { jobs, sweeps } = client.value;
	const [document, job, sweep] = await Promise.all([
		fetchDocument<ApiDocument>('openapi.json', signal),
		from === null ? null : jobs.get(from),
		like === null ? null : sweeps.get(like),
	]);
	const form = formOf(bodyOf(document, '/v1/sweeps'));
	const spec = job !== null ? sweepOf(form, job) : sweep !== null ? sweepLike(form, sweep) : emptySweep(form, dataset);
	return { draft: draftOf(form, spec), metrics: Object.keys(job?.result?.metrics['validation'] ?? {}) };
}

function Begun(beginning: Beginning): VNode {
	const begun = useLoading((signal) => begin(beginning, signal));
	const { value, error } = begun.value;
	if (value !== null) return <SweepForm {...value} />;
	if (error !== null) return <Problem error={error} title="The form could not be made" again={() => begun.again()} />;
	return (
		<p class="quiet" role="status">
			Loading …
		</p>
	);
}

export function NewSweepPage(): VNode {
	const { query } = place.value;
	const beginning = { from: query.get('from'), like: query.get('like'), dataset: query.get('dataset') };
	const { from, like } = beginning;
	const origin = from !== null ? ['jobs', from] : like !== null ? ['sweeps', like] : null;
	return (
		<>
			<PageTitle
				title={from !== null ? 'Sweep the settings of a job' : like !== null ? 'Clone a sweep' : 'New sweep'}
				above={
					origin === null ? (
						<a href="#/sweeps">Sweeps</a>
					) : (
						<>
							From <a href={`#/${origin[0]}/${encodeURIComponent(origin[1] as string)}`}>{origin[1]}</a>
						</>
					)
				}
			/>
			<Begun key={Object.values(beginning).join(' ')} {...beginning} />
		</>
	);
}
