import type { VNode } from 'preact';
import { bytes, count } from '../format.js';
import { useLoading } from '../loading.js';
import type { ApiDocument } from '../new-job/json-schema.js';
import { DiskUse } from '../parts/disk-use.js';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { Workers } from '../parts/workers.js';
import { AuditLog } from '../service/audit-log.js';
import { KeyList } from '../service/key-list.js';
import { Notices } from '../service/notices.js';
import { RetentionPart } from '../service/retention.js';
import { State } from '../service/state.js';
import { client, fetchDocument, serviceUrl } from '../session.js';
import { useAgain } from '../use-again.js';
import '../parts/service-state.css';
import '../service/service.css';

/** Milliseconds between two looks at the service. */
const EVERY = 5000;

export function ServicePage(): VNode {
	const state = useLoading(async () => {
		const { keys, ready, usage } = client.value;
		const [caller, readiness] = await Promise.all([keys.self(), ready()]);
		return { caller, ready: readiness, usage: caller.scope === 'admin' ? await usage() : null };
	});
	const version = useLoading(async (signal) => (await fetchDocument<ApiDocument>('openapi.json', signal)).info.version);
	useAgain(state, EVERY);
	const { value, error } = state.value;
	return (
		<>
			<PageTitle title="Service">
				<a class="button" href={`${serviceUrl}/openapi.json`}>
					openapi.json
				</a>
				<a class="button" href={`${serviceUrl}/docs/`}>
					API documentation
				</a>
			</PageTitle>
			{error !== null && <Problem error={error} title="The service could not be asked how it is" again={() => state.again()} />}
			{value === null && error === null && (
				<p class="quiet" role="status">
					Loading …
				</p>
			)}
			{value !== null && (
				<>
					<State ready={value.ready} caller={value.caller} version={version.value.value} />
					<section>
						<h2>Workers</h2>
						<Workers workers={value.ready.workers} />
					</section>
					<section>
						<h2>Notices</h2>
						<Notices mayChange={value.caller.scope !== 'read'} />
					</section>
					{value.usage === null ? (
						<p class="quiet">What needs a key of the scope admin is left out: disk, retention, keys and the audit log.</p>
					) : (
						<>
							<section>
								<h2>Disk</h2>
								<DiskUse usage={value.usage} />
								<p class="hint">
									Of it the project {value.usage.project.name} has {bytes(value.usage.project.bytes)}:{' '}
									{count(value.usage.project.datasets.count, 'dataset')}, {count(value.usage.project.models.count, 'model')},{' '}
									{count(value.usage.project.jobs.count, 'job')}.
								</p>
							</section>
							<section>
								<h2>Retention</h2>
								<RetentionPart changed={() => state.again()} />
							</section>
							<section>
								<h2>Keys</h2>
								<KeyList own={value.caller.key} />
							</section>
							<section>
								<h2>Audit log</h2>
								<AuditLog />
							</section>
						</>
					)}
				</>
			)}
		</>
	);
}
