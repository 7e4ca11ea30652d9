import type { VNode } from 'preact';
import { useLoading } from '../loading.js';
import { cloned, continued } from '../new-job/clone.js';
import { type Draft, draftOf } from '../new-job/draft.js';
import { formOf } from '../new-job/fields.js';
import { JobForm } from '../new-job/job-form.js';
import { type ApiDocument, bodyOf } from '../new-job/json-schema.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { place } from '../router.js';
import { client, fetchDocument } from '../session.js';
import '../new-job/new-job.css';

/** Makes the draft that the address asks for: empty, of a dataset, or like another job. */
async function begin({ from, isContinued, dataset }: Beginning, signal: AbortSignal): Promise<Draft> {
	const { jobs } = client.value;
	const [document, job] = await Promise.all([fetchDocument<ApiDocument>('openapi.json', signal), from === null ? null : jobs.get(from)]);
	const form = formOf(bodyOf(document, '/v1/jobs'));
	const spec = job === null ? {} : isContinued ? continued(form, job) : cloned(form, job);
	return draftOf(form, dataset === null ? spec : { ...spec, dataset });
}

/** What the form begins with; it stays when another part of the query changes, such as the language of the text beside it. */
type Beginning = { readonly from: string | null; readonly isContinued: boolean; readonly dataset: string | null };

function Begun(beginning: Beginning): VNode {
	const begun = useLoading((signal) => begin(beginning, signal));
	const { value: draft, error } = begun.value;
	if (draft !== null) return <JobForm draft={draft} />;
	if (error !== null) return <Problem error={error} title="The form could not be made" again={() => begun.again()} />;
	return (
		<p class="quiet" role="status">
			Loading …
		</p>
	);
}

export function NewJobPage(): VNode {
	const { query } = place.value;
	const from = query.get('from');
	const isContinued = from !== null && query.get('continue') === '1';
	const dataset = query.get('dataset');
	return (
		<>
			<PageTitle
				title={from === null ? 'New job' : isContinued ? 'Continue a job' : 'Clone a job'}
				above={
					from === null ? undefined : (
						<>
							From <a href={`#/jobs/${encodeURIComponent(from)}`}>{from}</a>
						</>
					)
				}
			/>
			<Begun key={`${from} ${isContinued} ${dataset}`} from={from} isContinued={isContinued} dataset={dataset} />
		</>
	);
}
