import { type Signal, useSignal } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import type { NewWebhook, WebhookResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { moment } from '../format.js';
import { useLoading } from '../loading.js';
import { ConfirmDialog } from '../parts/confirm-dialog.js';
import { Facts } from '../parts/facts.js';
import { OnceDialog } from '../parts/once-dialog.js';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';

/** The ends of a job that a notice can tell of. */
const ENDS = ['succeeded', 'failed', 'cancelled'] as const;

/** The webhook of the project; null where it has none. */
async function ownWebhook(): Promise<{ webhook: WebhookResource | null }> {
	const { has_webhook: isThere } = await client.value.keys.self();
	return { webhook: isThere ? await client.value.webhook.get() : null };
}

function WebhookFacts({ webhook }: { webhook: WebhookResource }): VNode {
	const rows: readonly [string, VNode | string][] = [
		['Goes to', webhook.url === null ? 'no address: only jobs with a notify of their own are told of' : <code>{webhook.url}</code>],
		['Tells of jobs that have', webhook.on.join(', ')],
		['Since', moment(webhook.created_at)],
	];
	return <Facts rows={rows} />;
}

type FormProps = { webhook: WebhookResource | null; made: Signal<NewWebhook | null>; again: () => void };

/** Sets the webhook, or another one in its place. */
function WebhookForm({ webhook, made, again }: FormProps): VNode {
	const failure = useSignal<Error | null>(null);
	const param = failure.value instanceof SteelyardError ? failure.value.param : null;
	const refused = param?.split('.')[0];
	const action = webhook === null ? 'Set a webhook' : 'Replace the webhook';
	const submit = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		const form = event.currentTarget as HTMLFormElement;
		const fields = new FormData(form);
		const url = String(fields.get('url') ?? '').trim();
		failure.value = null;
		try {
			made.value = await client.value.webhook.set({
				...(url === '' ? {} : { url }),
				on: ENDS.filter((end) => fields.getAll('on').includes(end)),
			});
			again();
		} catch (error) {
			failure.value = error as Error;
			const name = (error as Partial<SteelyardError>).param?.split('.')[0];
			form.querySelector<HTMLElement>(`[name="${name}"]`)?.focus();
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
			<summary>{action}</summary>
			<form onSubmit={(event) => void submit(event)} aria-label={action}>
				<label class="field">
					<span>Address that notices are posted to</span>
					<input
						name="url"
						inputMode="url"
						placeholder="https://example.com/hook"
						autocomplete="off"
						spellcheck={false}
						defaultValue={webhook?.url ?? ''}
						aria-invalid={refused === 'url' || undefined}
						aria-describedby="webhook-url-hint"
					/>
					<span class="hint" id="webhook-url-hint">
						It begins with http:// or https:// and has no user and password. Without one, only jobs with a notify of their own are told of.
					</span>
					{said('url')}
				</label>
				<fieldset class="ends">
					<legend>Tell of jobs that have</legend>
					{ENDS.map((end) => (
						<label key={end}>
							<input type="checkbox" name="on" value={end} defaultChecked={webhook?.on.includes(end) ?? true} /> {end}
						</label>
					))}
					{said('on')}
				</fieldset>
				{webhook !== null && (
					<p class="note warn">
						The secret that signs notices now ends, and you get another one. Until the receiver has that one, it refuses what comes.
					</p>
				)}
				{failure.value !== null && refused !== 'url' && refused !== 'on' && (
					<Problem error={failure.value} title="The webhook was not set" />
				)}
				<p class="actions">
					<button type="submit" class="primary">
						{webhook === null ? 'Set it' : 'Replace it'}
					</button>
				</p>
			</form>
		</details>
	);
}

/** Where notices of the jobs of the project go that have ended. `mayChange`: whether the key may set that. */
export function Notices({ mayChange }: { mayChange: boolean }): VNode {
	const found = useLoading(ownWebhook);
	const made = useSignal<NewWebhook | null>(null);
	const isLeaving = useSignal(false);
	const { value, error } = found.value;
	const webhook = value?.webhook ?? null;
	return (
		<>
			<p class="hint">When a job ends, the service can post a signed notice to an address of yours. A project has one such webhook.</p>
			{error !== null && <Problem error={error} title="The webhook could not be looked up" again={() => found.again()} />}
			{value !== null && (webhook === null ? <p class="quiet">The project has no webhook.</p> : <WebhookFacts webhook={webhook} />)}
			{value !== null && !mayChange && <p class="quiet">A key of the scope train can change this.</p>}
			{value !== null && mayChange && (
				<>
					<WebhookForm key={JSON.stringify(webhook)} webhook={webhook} made={made} again={() => found.again()} />
					{webhook !== null && (
						<p class="actions">
							<button
								type="button"
								class="danger"
								onClick={() => {
									isLeaving.value = true;
								}}
							>
								Remove the webhook
							</button>
						</p>
					)}
				</>
			)}
			{made.value !== null && (
				<OnceDialog
					title="The secret of the webhook"
					text={made.value.secret}
					what="the secret"
					close={() => {
						made.value = null;
					}}
				>
					<p>
						It is shown this once. Give it to the receiver, which checks by it that a notice comes from this service: the header
						webhook-signature has the HMAC-SHA256 of its id, its time and its body. Code for that stands in docs/jobs.md under “Notice at
						the end”; libraries for Standard Webhooks do it too.
					</p>
				</OnceDialog>
			)}
			{isLeaving.value && (
				<ConfirmDialog
					title="Remove the webhook?"
					action="Remove it"
					confirm={async () => {
						await client.value.webhook.remove();
						found.again();
					}}
					close={() => {
						isLeaving.value = false;
					}}
				>
					<p>
						No notices are sent any more, not even those of jobs with a notify of their own, and its secret ends. Notices that were to be
						tried again are given up.
					</p>
				</ConfirmDialog>
			)}
		</>
	);
}
