import { useSignal } from '@preact/signals';
import type { Retention } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { bytes, count } from '../format.js';
import { ConfirmDialog } from '../parts/confirm-dialog.js';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';

/** The limit that a job is over. */
const REASONS = { age: 'too old', count: 'too many', bytes: 'too large together' } as const;

const sumOf = ({ jobs, orphans }: Retention): string =>
	`${count(jobs.count, 'job')} of ${bytes(jobs.bytes)} and ${count(orphans.count, 'leftover file')} of ${bytes(orphans.bytes)}`;

/** What is no longer kept: shows it, and removes it once that is confirmed. */
export function RetentionPart({ changed }: { changed: () => void }): VNode {
	const found = useSignal<Retention | null>(null);
	const failure = useSignal<Error | null>(null);
	const isAsked = useSignal(false);
	const look = async (): Promise<void> => {
		failure.value = null;
		try {
			found.value = await client.value.retention({ dryRun: true });
		} catch (error) {
			failure.value = error as Error;
		}
	};
	const { value } = found;
	const isNothing = value !== null && value.jobs.count === 0 && value.orphans.count === 0;
	return (
		<>
			<p class="hint">
				Every hour the service removes ended jobs over the limits that it was started with, and what interrupted processes have left.
			</p>
			{failure.value !== null && <Problem error={failure.value} title="That could not be found out" again={() => void look()} />}
			<div role="status">
				{value !== null && (
					<p>
						{value.dry_run
							? isNothing
								? 'Nothing would be removed.'
								: `It would remove ${sumOf(value)}.`
							: `It has removed ${sumOf(value)}.`}
					</p>
				)}
			</div>
			{value !== null && value.jobs.first.length > 0 && (
				<details>
					<summary>Which jobs</summary>
					<ul>
						{value.jobs.first.map(({ id, reason, bytes: size }) => (
							<li key={id}>
								{value.dry_run ? <a href={`#/jobs/${id}`}>{id}</a> : id}: {REASONS[reason]}, {bytes(size)}
							</li>
						))}
					</ul>
				</details>
			)}
			{value !== null && value.orphans.first.length > 0 && (
				<details>
					<summary>Which leftovers</summary>
					<ul>
						{value.orphans.first.map(({ key, bytes: size }) => (
							<li key={key}>
								<code>{key}</code>, {bytes(size)}
							</li>
						))}
					</ul>
				</details>
			)}
			<p class="actions">
				<button type="button" onClick={() => void look()}>
					See what would be removed
				</button>
				{value?.dry_run === true && !isNothing && (
					<button
						type="button"
						class="danger"
						onClick={() => {
							isAsked.value = true;
						}}
					>
						Remove it now
					</button>
				)}
			</p>
			{isAsked.value && value !== null && (
				<ConfirmDialog
					title="Remove what is no longer kept?"
					action="Remove it"
					confirm={async () => {
						found.value = await client.value.retention();
						changed();
					}}
					close={() => {
						isAsked.value = false;
					}}
				>
					<p>{sumOf(value)} will be gone, of every project: models, reports and records too.</p>
				</ConfirmDialog>
			)}
		</>
	);
}
