import type { VNode } from 'preact';
import { moment } from '../format.js';
import { useLoading } from '../loading.js';
import { Problem } from '../parts/problem.js';
import { place, setQuery } from '../router.js';
import { client } from '../session.js';

/** Lines that a page has. */
const PAGE = 50;

/** Where a resource is shown; null where it has no page. */
const placeOf = (resource: string): string | null =>
	resource.startsWith('job_') ? `#/jobs/${resource}` : resource.startsWith('ds_') ? `#/data/${resource}` : null;

/** Who changed what, the newest first, a page at a time; which page is in the address. */
export function AuditLog(): VNode {
	const log = useLoading(() => {
		const after = place.value.query.get('audit');
		return client.value.audit({ limit: PAGE, ...(after === null ? {} : { after }) });
	});
	const { value, error } = log.value;
	const after = place.value.query.get('audit');
	if (error !== null) return <Problem error={error} title="The audit log could not be read" again={() => log.again()} />;
	if (value === null)
		return (
			<p class="quiet" role="status">
				Loading …
			</p>
		);
	return (
		<>
			{value.data.length === 0 ? (
				<p class="quiet">Nothing was changed yet.</p>
			) : (
				// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard
				<section class="scroll" tabIndex={0} aria-label="Audit log">
					<table>
						<thead>
							<tr>
								<th>When</th>
								<th>Operation</th>
								<th>About</th>
								<th class="number">Status</th>
								<th>Key</th>
								<th>Project</th>
								<th>From</th>
							</tr>
						</thead>
						<tbody>
							{value.data.map((line) => {
								const link = line.resource === null ? null : placeOf(line.resource);
								return (
									<tr key={line.id}>
										<td>{moment(line.at / 1000)}</td>
										<td>{line.operation ?? line.method}</td>
										<td class="mono">{link === null ? (line.resource ?? '–') : <a href={link}>{line.resource}</a>}</td>
										<td class={`number${line.status >= 400 ? ' refused' : ''}`}>{line.status}</td>
										<td>{line.name ?? line.key ?? 'none'}</td>
										<td>{line.project ?? '–'}</td>
										<td class="mono">{line.address}</td>
									</tr>
								);
							})}
						</tbody>
					</table>
				</section>
			)}
			<p class="actions">
				<button type="button" disabled={after === null} onClick={() => setQuery({ audit: null })}>
					Newest
				</button>
				<button type="button" disabled={!value.has_more} onClick={() => setQuery({ audit: value.data.at(-1)?.id ?? null })}>
					Older
				</button>
				<button type="button" onClick={() => log.again()}>
					Read again
				</button>
			</p>
		</>
	);
}
