import { useComputed, useSignal } from '@preact/signals';
import type { JobRequest } from '@steelyard/client';
import type { VNode } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { notifyWhenEnded } from '../live/notices.js';
import { useLoading } from '../loading.js';
import { go } from '../router.js';
import { client } from '../session.js';
import { changesIn } from './differences.js';
import type { Draft } from './draft.js';
import { Changes, FieldList, FieldView } from './field-view.js';
import type { Field, FieldOf } from './fields.js';
import { FormContext } from './form-context.js';
import { idempotencyKey } from './idempotency-key.js';
import { having, type JsonObject, own } from './json.js';
import { Refused, usePosting } from './posting.js';
import { SpecPanel } from './spec-panel.js';

/** What stands open at the beginning, in this order; a field that is not here is in a part that can be opened. */
const OPEN: Readonly<Record<string, readonly string[]>> = {
	'': ['dataset', 'name'],
	training: ['epochs', 'batch_size', 'seed', 'optimizer'],
};

const isOpen = (group: string, { name }: Field): boolean => OPEN[group]?.includes(name) === true;
const opened = (group: string, fields: readonly Field[]): Field[] =>
	(OPEN[group] ?? []).flatMap((name) => fields.filter((field) => field.name === name));

type SectionProps = { field: Field; draft: Draft };

const setterOf =
	(draft: Draft, name: string) =>
	(next: Parameters<typeof having>[2]): void =>
		draft.set(having(draft.value.peek(), name, next));

/** A part of the form with a heading: a union with its choices, or a group with its first fields open. */
function Section({ field, draft }: SectionProps): VNode {
	const value = own(draft.value.value, field.name);
	const set = setterOf(draft, field.name);
	if (field.kind !== 'group' || OPEN[field.name] === undefined)
		return (
			<section>
				<h2>{field.label}</h2>
				<FieldView field={field} value={value} set={set} place={field.name} />
			</section>
		);
	const rest = field.fields.filter((one) => !isOpen(field.name, one));
	const group = (next: JsonObject): void => set(next);
	return (
		<section data-place={field.name}>
			<h2>{field.label}</h2>
			<FieldList fields={opened(field.name, field.fields)} group={value} set={group} place={field.name} />
			<details class="form-group">
				<summary>
					More about {field.label.toLowerCase()} <Changes n={rest.reduce((sum, one) => sum + changesIn(one, own(value, one.name)), 0)} />
				</summary>
				<FieldList fields={rest} group={value} set={group} place={field.name} />
			</details>
		</section>
	);
}

/** The rest of the fields, in parts that are closed. */
function Others({ fields, draft }: { fields: readonly Field[]; draft: Draft }): VNode {
	const groups = fields.filter((field): field is FieldOf<'group'> => field.kind === 'group');
	const single = fields.filter((field) => field.kind !== 'group');
	const value = draft.value.value;
	return (
		<section>
			<h2>Optional</h2>
			{groups.map((field) => (
				<FieldView key={field.name} field={field} value={own(value, field.name)} set={setterOf(draft, field.name)} place={field.name} />
			))}
			<details class="form-group">
				<summary>
					More <Changes n={single.reduce((sum, one) => sum + changesIn(one, own(value, one.name)), 0)} />
				</summary>
				<FieldList fields={single} group={value} set={(next) => draft.set(next)} place="" />
			</details>
		</section>
	);
}

/** The form of a job with its JSON beside it, and what posts it. */
export function JobForm({ draft }: { draft: Draft }): VNode {
	const wantsNotice = useSignal(false);
	const noticeNote = useSignal('');
	/** The key of the form as it was posted last: who posts the same twice gets the same job. */
	const posted = useRef({ body: '', key: '' });
	const { form, refusal, failure, isPosting, submit } = usePosting(draft, async (spec) => {
		const body = JSON.stringify(spec);
		if (posted.current.body !== body) posted.current = { body, key: idempotencyKey() };
		const job = await client.value.jobs.create(spec as JobRequest, { idempotencyKey: posted.current.key });
		if (wantsNotice.peek()) await notifyWhenEnded(job.id);
		go(`#/jobs/${job.id}`);
	});
	const dataset = useComputed(() => own(draft.value.value, 'dataset'));
	const profile = useLoading(async () => {
		const wanted = dataset.value;
		const { datasets } = client.value;
		return typeof wanted === 'string' && wanted !== '' ? datasets.get(wanted) : null;
	});
	const modalities = useComputed(() => Object.keys(profile.value.value?.modalities ?? {}));
	const known = useMemo(() => ({ refusal, modalities, entriesAt: () => null }), []);

	// Browsers ask for the permission on a press of the user alone.
	const wantNotice = async (isOn: boolean): Promise<void> => {
		wantsNotice.value = isOn;
		noticeNote.value = '';
		if (!isOn) return;
		const answer = 'Notification' in globalThis ? await Notification.requestPermission() : 'missing';
		if (answer === 'granted') return;
		wantsNotice.value = false;
		noticeNote.value =
			answer === 'missing'
				? 'This browser shows no notices for a page that comes over plain http from another machine.'
				: 'The browser does not let this page show notices. Its settings for this site can change that.';
	};

	const { fields } = draft.form;
	const sections = fields.filter(
		(field) => !isOpen('', field) && (field.kind === 'branches' || (field.kind === 'group' && OPEN[field.name] !== undefined)),
	);
	const others = fields.filter((field) => !isOpen('', field) && !sections.includes(field));
	const [first, second] = [opened('', fields).slice(0, 1), opened('', fields).slice(1)];
	const data = profile.value.value;
	return (
		<FormContext.Provider value={known}>
			<div class="new-job">
				<form ref={form} noValidate onSubmit={submit} aria-label="New job">
					<FieldList fields={first} group={draft.value.value} set={(next) => draft.set(next)} place="" />
					{data !== null && (
						<p class="hint dataset-facts">
							{Object.entries(data.splits)
								.map(([name, { rows }]) => `${name} ${rows.toLocaleString('en')} rows`)
								.join(', ')}
							; {data.task.type}; modalities {Object.keys(data.modalities).slice(0, 12).join(', ')}.{' '}
							<a href={`#/data/${data.id}`}>See it</a>
						</p>
					)}
					<FieldList fields={second} group={draft.value.value} set={(next) => draft.set(next)} place="" />
					{sections.map((field) => (
						<Section key={field.name} field={field} draft={draft} />
					))}
					<Others fields={others} draft={draft} />
					<div class="form-end">
						<Refused failure={failure.value} what="the job" />
						<p class="actions">
							<button type="submit" class="primary" disabled={isPosting.value}>
								{isPosting.value ? 'Posting …' : 'Train'}
							</button>
							<label>
								<input
									type="checkbox"
									checked={wantsNotice.value}
									onChange={({ currentTarget }) => void wantNotice(currentTarget.checked)}
								/>{' '}
								Tell this browser when it ends
							</label>
						</p>
						{noticeNote.value !== '' && (
							<p class="hint" role="status">
								{noticeNote}
							</p>
						)}
					</div>
				</form>
				<SpecPanel draft={draft} of="job" />
			</div>
		</FormContext.Provider>
	);
}
