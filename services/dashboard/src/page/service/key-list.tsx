import { type Signal, useSignal } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import type { KeyRequest, KeyResource, NewKey } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { moment } from '../format.js';
import { useLoading } from '../loading.js';
import { ConfirmDialog } from '../parts/confirm-dialog.js';
import { OnceDialog } from '../parts/once-dialog.js';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';

/** What a key of each scope may do. */
const SCOPES = [
	['read', 'read: look at what is in its project'],
	['train', 'train: also upload, post, rename, cancel and delete there'],
	['admin', 'admin: everything in every project, and this page'],
] as const;

/** All keys, page by page. */
async function allKeys(): Promise<KeyResource[]> {
	const { keys } = client.value;
	const all: KeyResource[] = [];
	let after: string | null | undefined;
	do {
		const page = await keys.list({ limit: 100, ...(typeof after === 'string' ? { after } : {}) });
		all.push(...page.data);
		after = page.next;
	} while (after !== null);
	return all;
}

/** Makes a key. */
function NewKeyForm({ made, again }: { made: Signal<NewKey | null>; again: () => void }): VNode {
	const scope = useSignal<KeyRequest['scope']>('train');
	const failure = useSignal<Error | null>(null);
	const refused = failure.value instanceof SteelyardError ? failure.value.param : null;
	const submit = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		const form = event.currentTarget as HTMLFormElement;
		const fields = new FormData(form);
		const text = (name: string): string => String(fields.get(name) ?? '').trim();
		failure.value = null;
		try {
			made.value = await client.value.keys.create({
				name: text('name'),
				scope: scope.value,
				...(scope.value === 'admin' || text('project') === '' ? {} : { project: text('project') }),
				...(text('expires_in_days') === '' ? {} : { expires_in_days: Number(text('expires_in_days')) }),
			});
			form.reset();
			scope.value = 'train';
			again();
		} catch (error) {
			failure.value = error as Error;
			const { param } = error as Partial<SteelyardError>;
			form.querySelector<HTMLElement>(`[name="${param}"]`)?.focus();
		}
	};
	const said = (name: string): VNode | null =>
		refused === name ? (
			<span class="field-error" role="alert">
				{failure.value?.message}
			</span>
		) : null;
	return (
		<details class="card new-key">
			<summary>Make a key</summary>
			<form onSubmit={(event) => void submit(event)} aria-label="Make a key">
				<label class="field">
					<span>Name: what it is for, or whose it is</span>
					<input name="name" required maxLength={200} autocomplete="off" aria-invalid={refused === 'name' || undefined} />
					{said('name')}
				</label>
				<label class="field">
					<span>Scope</span>
					<select
						name="scope"
						value={scope.value}
						onChange={({ currentTarget }) => {
							scope.value = currentTarget.value as KeyRequest['scope'];
						}}
					>
						{SCOPES.map(([name, text]) => (
							<option key={name} value={name}>
								{text}
							</option>
						))}
					</select>
					{said('scope')}
				</label>
				{scope.value !== 'admin' && (
					<label class="field">
						<span>Project</span>
						<input name="project" placeholder="default" autocomplete="off" aria-invalid={refused === 'project' || undefined} />
						{said('project')}
					</label>
				)}
				<label class="field">
					<span>Ends to be valid after so many days</span>
					<input
						name="expires_in_days"
						type="number"
						step="any"
						placeholder="never"
						aria-invalid={refused === 'expires_in_days' || undefined}
					/>
					{said('expires_in_days')}
				</label>
				{failure.value !== null && !['name', 'scope', 'project', 'expires_in_days'].includes(refused ?? '') && (
					<Problem error={failure.value} title="The key was not made" />
				)}
				<p class="actions">
					<button type="submit" class="primary">
						Make the key
					</button>
				</p>
			</form>
		</details>
	);
}

/** The keys of the service: who may do what. */
export function KeyList({ own }: { own: string | null }): VNode {
	const keys = useLoading(allKeys);
	const made = useSignal<NewKey | null>(null);
	const leaving = useSignal<KeyResource | null>(null);
	const { value, error } = keys.value;
	const key = leaving.value;
	return (
		<>
			{own === null && (
				<p class="hint">
					This service demands no key: whoever reaches it may do everything. Keys that are made here are of use once STEELYARD_API_KEY is
					set.
				</p>
			)}
			{error !== null && <Problem error={error} title="The keys could not be listed" again={() => keys.again()} />}
			{value !== null && value.length === 0 && <p class="quiet">There are no keys beside STEELYARD_API_KEY.</p>}
			{value !== null && value.length > 0 && (
				// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard
				<section class="scroll" tabIndex={0} aria-label="Keys">
					<table>
						<thead>
							<tr>
								<th>Name</th>
								<th>Scope</th>
								<th>Project</th>
								<th>Begins with</th>
								<th>Made</th>
								<th>Ends</th>
								<th>Last used</th>
								<th>
									<span class="unseen">Actions</span>
								</th>
							</tr>
						</thead>
						<tbody>
							{value.map((one) => (
								<tr key={one.id}>
									<td>
										{one.name}
										{one.id === own && <span class="quiet"> (yours)</span>}
									</td>
									<td>{one.scope}</td>
									<td>{one.project ?? 'every'}</td>
									<td class="mono">{one.prefix}…</td>
									<td>{moment(one.created_at)}</td>
									<td>{one.expires_at === null ? 'never' : moment(one.expires_at)}</td>
									<td>{one.last_used_at === null ? 'never' : moment(one.last_used_at)}</td>
									<td>
										<button
											type="button"
											class="danger"
											onClick={() => {
												leaving.value = one;
											}}
										>
											Revoke<span class="unseen"> {one.name}</span>
										</button>
									</td>
								</tr>
							))}
						</tbody>
					</table>
				</section>
			)}
			<NewKeyForm made={made} again={() => keys.again()} />
			{made.value !== null && (
				<OnceDialog
					title={`The token of ${made.value.name}`}
					text={made.value.token}
					what="the token"
					close={() => {
						made.value = null;
					}}
				>
					<p>It is shown this once. Copy it now: the service keeps only its hash.</p>
				</OnceDialog>
			)}
			{key !== null && (
				<ConfirmDialog
					title={`Revoke the key ${key.name}?`}
					action="Revoke it"
					confirm={async () => {
						await client.value.keys.revoke(key.id);
						keys.again();
					}}
					close={() => {
						leaving.value = null;
					}}
				>
					<p>
						Requests with it are refused from now on, and it cannot be made valid again. What was made with it stays.
						{key.id === own && ' It is the key that this page uses.'}
					</p>
				</ConfirmDialog>
			)}
		</>
	);
}
