import type { VNode } from 'preact';
import { CopyButton } from '../parts/copy-button.js';
import { NamingForm } from '../parts/naming-form.js';
import { client } from '../session.js';
import type { TabProps } from './tab.js';

/** The spec of a job with every default filled in, and what of it can be changed. */
export function SpecTab({ view, job }: TabProps): VNode {
	const text = JSON.stringify(job.spec, null, 2);
	return (
		<>
			<NamingForm
				name={job.spec.name ?? null}
				metadata={job.spec.metadata}
				update={async (change) => {
					const changed = await client.value.jobs.update(job.id, change);
					view.job.value = changed;
					return changed.spec.metadata;
				}}
				saved={() => {}}
				isNamed={false}
			/>
			<h3>Spec</h3>
			<p class="actions">
				<CopyButton text={text} what="the spec" />
			</p>
			<pre tabIndex={0}>{text}</pre>
		</>
	);
}
