import { useComputed } from '@preact/signals';
import type { SweepRequest } from '@steelyard/client';
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { lessIsBetter } from '../compare/metric-order.js';
import { useLoading } from '../loading.js';
import { changesIn } from '../new-job/differences.js';
import type { Draft } from '../new-job/draft.js';
import { Changes, FieldList, FieldView } from '../new-job/field-view.js';
import type { Field } from '../new-job/fields.js';
import { FormContext } from '../new-job/form-context.js';
import { having, isObject, type Json, type JsonObject, own } from '../new-job/json.js';
import { Refused, usePosting } from '../new-job/posting.js';
import { SpecPanel } from '../new-job/spec-panel.js';
import { go } from '../router.js';
import { client } from '../session.js';
import { sweepField } from './begun-sweep.js';
import { conditionsOf, dimensionsOf } from './dimensions.js';
import { placesInSweep } from './places-in-sweep.js';

/** Metrics that most people mean to be high. */
const MORE = /(^|\.)(accuracy|macro_f1|micro_f1|auroc|auprc|pearson|mean_iou|subset_accuracy)$/;

/** A field of the sweep as it stands in the draft. */
function Whole({ draft, name }: { draft: Draft; name: string }): VNode | null {
	const field = draft.form.fields.find((one) => one.name === name);
	if (field === undefined) return null;
	return (
		<FieldView
			field={field}
			value={own(draft.value.value, name)}
			set={(next) => draft.set(having(draft.value.peek(), name, next))}
			place={name}
		/>
	);
}

/** Some fields of the sweep, or of a group of it. */
function Some({ draft, group, names }: { draft: Draft; group?: string; names: (name: string) => boolean }): VNode {
	const fields: readonly Field[] = (group === undefined ? draft.form : sweepField(draft.form, group, 'group')).fields;
	const whole = draft.value.value;
	return (
		<FieldList
			fields={fields.filter(({ name }) => names(name))}
			group={group === undefined ? whole : own(whole, group)}
			set={(next) => draft.set(group === undefined ? next : having(draft.value.peek(), group, next))}
			place={group ?? ''}
		/>
	);
}

/** A part that is closed at first, with how much of it was changed. */
function More({ title, changes, children }: { title: string; changes: number; children: VNode | VNode[] }): VNode {
	return (
		<details class="form-group">
			<summary>
				{title} <Changes n={changes} />
			</summary>
			{children}
		</details>
	);
}

/** Warns of a metric that is looked for at its wrong end. */
function DirectionNote({ value }: { value: JsonObject }): VNode | null {
	const metric = own(value, 'metric') ?? 'loss';
	const isMaximised = own(value, 'direction') === 'maximise';
	if (typeof metric !== 'string' || !(isMaximised ? lessIsBetter(metric) : MORE.test(metric))) return null;
	return (
		<p class="note warn" role="status">
			The {isMaximised ? 'highest' : 'lowest'} {metric} is the worst one. Did you mean to {isMaximised ? 'minimise' : 'maximise'} it?
		</p>
	);
}

/** How many changes there are in the fields of a group that have some names. */
function changesOf(fields: readonly Field[], group: Json | undefined, names: (name: string) => boolean): number {
	return fields.filter(({ name }) => names(name)).reduce((sum, field) => sum + changesIn(field, own(group, field.name)), 0);
}

/** The form of a sweep with its JSON beside it, and what posts it. `metrics`: those that the job has, of which it is made. */
export function SweepForm({ draft, metrics }: { draft: Draft; metrics: readonly string[] }): VNode {
	const { form, refusal, failure, isPosting, submit } = usePosting(
		draft,
		async (spec) => {
			const { id } = await client.value.sweeps.create(spec as SweepRequest);
			go(`#/sweeps/${id}`);
		},
		placesInSweep,
	);
	const jobField = sweepField(draft.form, 'job', 'group');
	const dataset = useComputed(() => own(own(draft.value.value, 'job'), 'dataset'));
	const profile = useLoading(async () => {
		const wanted = dataset.value;
		const { datasets } = client.value;
		return typeof wanted === 'string' && wanted !== '' ? datasets.get(wanted) : null;
	});
	const modalities = useComputed(() => Object.keys(profile.value.value?.modalities ?? {}));
	const dimensions = useComputed(() => dimensionsOf(jobField, own(draft.value.value, 'job')));
	const conditions = useComputed(() => conditionsOf(own(draft.value.value, 'space')));
	const known = useMemo(
		() => ({
			refusal,
			modalities,
			entriesAt: (place: string) =>
				place === 'space' ? dimensions.value : place.startsWith('space.') && place.endsWith('.when') ? conditions.value : null,
		}),
		[],
	);
	const value = draft.value.value;
	const isRest = (name: string): boolean => name !== 'dataset' && name !== 'name';
	const isAside = (name: string): boolean => name === 'concurrency' || name === 'seed';
	const isSeconds = (name: string): boolean => name === 'seconds';
	const budget = sweepField(draft.form, 'budget', 'group');
	return (
		<FormContext.Provider value={known}>
			<div class="new-job">
				<form ref={form} noValidate onSubmit={submit} aria-label="New sweep">
					<Some draft={draft} group="job" names={(name) => name === 'dataset'} />
					<Some draft={draft} names={(name) => name === 'name'} />
					<section>
						<h2>What varies</h2>
						<Whole draft={draft} name="space" />
					</section>
					<section>
						<h2>What is best</h2>
						<Some draft={draft} names={(name) => name === 'metric' || name === 'direction'} />
						{metrics.length > 0 && <p class="hint dataset-facts">The job has {metrics.join(', ')}.</p>}
						<DirectionNote value={value} />
					</section>
					<section data-place="budget">
						<h2>How much is tried</h2>
						<Some draft={draft} group="budget" names={(name) => name === 'trials'} />
						<Some draft={draft} names={(name) => name === 'seeds'} />
						<More
							title="More"
							changes={changesOf(draft.form.fields, value, isAside) + changesOf(budget.fields, own(value, 'budget'), isSeconds)}
						>
							<Some draft={draft} group="budget" names={isSeconds} />
							<Some draft={draft} names={isAside} />
						</More>
					</section>
					<section>
						<h2>How it is searched</h2>
						<Whole draft={draft} name="search" />
						<Whole draft={draft} name="pruning" />
					</section>
					<section data-place="job">
						<h2>What stays the same</h2>
						<More title="The job" changes={changesOf(jobField.fields, own(value, 'job'), isRest)}>
							<Some draft={draft} group="job" names={isRest} />
						</More>
					</section>
					<div class="form-end">
						<Refused failure={failure.value} what="the sweep" />
						<p class="actions">
							<button type="submit" class="primary" disabled={isPosting.value}>
								{isPosting.value ? 'Posting …' : 'Start the sweep'}
							</button>
							<span class="quiet">
								{Object.keys(isObject(own(value, 'space')) ? (own(value, 'space') as JsonObject) : {}).length} settings vary
							</span>
						</p>
					</div>
				</form>
				<SpecPanel draft={draft} of="sweep" />
			</div>
		</FormContext.Provider>
	);
}
