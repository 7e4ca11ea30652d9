import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
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
async function begin(query: URLSearchParams, signal: AbortSignal): Promise<Draft> {
	const [from, dataset] = [query.get('from'), query.get('dataset')];
	const { jobs } = client.value;
	const [document, job] = await Promise.all([fetchDocument<ApiDocument>('openapi.json', signal), from === null ? null : jobs.get(from)]);
	const form = formOf(bodyOf(document, '/v1/jobs'));
	const spec = job === null ? {} : query.get('continue') === '1' ? continued(form, job) : cloned(form, job);
	return draftOf(form, dataset === null ? spec : { ...spec, dataset });
}

export function NewJobPage(): VNode {
	// The form stays as it is when another part of the query changes, such as the language of the text beside it.
	const asked = useMemo(() => place.peek().query, []);
	const begun = useLoading((signal) => begin(asked, signal));
	const { value: draft, error } = begun.value;
	const from = asked.get('from');
	const title = from === null ? 'New job' : asked.get('continue') === '1' ? 'Continue a job' : 'Clone a job';
	return (
		<>
			<PageTitle
				title={title}
				above={
					from === null ? undefined : (
						<>
							From <a href={`#/jobs/${encodeURIComponent(from)}`}>{from}</a>
						</>
					)
				}
			/>
			{draft !== null ? (
				<JobForm draft={draft} />
			) : error !== null ? (
				<Problem error={error} title="The form could not be made" again={() => begun.again()} />
			) : (
				<p class="quiet" role="status">
					Loading …
				</p>
			)}
		</>
	);
}
