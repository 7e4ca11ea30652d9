import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { moment } from '../format.js';
import { useLoading } from '../loading.js';
import { client } from '../session.js';
import { differences } from './differences.js';
import { FieldFrame } from './field-frame.js';
import type { ViewProps } from './field-view.js';
import type { FieldOf } from './fields.js';

/** A resource that a job can name. */
type Named = { readonly id: string; readonly name: string; readonly at: number };

/** Up to so many are offered; of more, a part of the name finds the others. */
const OFFERED = 50;

/** The resources of a kind whose names have a part, newest first. */
async function named(of: 'ds' | 'mdl' | 'job', part: string): Promise<{ all: Named[]; hasMore: boolean }> {
	const page = { limit: OFFERED, ...(part === '' ? {} : { name: part }) };
	if (of === 'job') {
		const { data, next } = await client.value.jobs.list({ ...page, status: ['succeeded'] });
		return { all: data.map(({ id, spec, created_at }) => ({ id, name: spec.name ?? id, at: created_at })), hasMore: next !== null };
	}
	if (of === 'mdl') {
		const { data, next } = await client.value.models.list(page);
		const ready = data.filter(({ status }) => status === 'ready');
		return { all: ready.map(({ id, name, created_at }) => ({ id, name, at: created_at })), hasMore: next !== null };
	}
	const { data, next } = await client.value.datasets.list(page);
	return { all: data.map(({ id, name, title, created_at }) => ({ id, name: title ?? name, at: created_at })), hasMore: next !== null };
}

/** What they are called. */
const KINDS = { ds: 'dataset', mdl: 'model', job: 'job' } as const;

/** The id of another resource: chosen by its name. */
export function IdField({ field, value, set, place }: ViewProps<FieldOf<'text'>>): VNode {
	const id = useId();
	const of = field.of ?? 'ds';
	const part = useSignal('');
	const found = useLoading(() => named(of, part.value.trim()));
	const { all = [], hasMore = false } = found.value.value ?? {};
	const given = typeof value === 'string' ? value : '';
	const isListed = given === '' || all.some((one) => one.id === given);
	return (
		<div class="form-wide">
			<FieldFrame field={field} place={place} again={differences(field, value) === undefined ? null : () => set(undefined)}>
				{(control) => (
					<>
						<select {...control} value={given} onChange={({ currentTarget: { value: next } }) => set(next === '' ? undefined : next)}>
							<option value="">{field.isRequired ? `Choose a ${KINDS[of]}` : 'none'}</option>
							{!isListed && <option value={given}>{given}</option>}
							{all.map((one) => (
								<option key={one.id} value={one.id}>
									{one.name} · {moment(one.at)} · {one.id.slice(-5)}
								</option>
							))}
						</select>
						{(hasMore || part.value !== '' || all.length > 8) && (
							<p class="form-find">
								<label for={id}>Find a {KINDS[of]} by name</label>
								<input
									id={id}
									type="search"
									value={part.value}
									onInput={({ currentTarget }) => {
										part.value = currentTarget.value;
									}}
									onKeyDown={(event) => {
										if (event.key === 'Enter') event.preventDefault();
									}}
								/>
							</p>
						)}
						{found.value.error !== null && <p class="field-error">{found.value.error.message}</p>}
						{found.value.value !== null && all.length === 0 && part.value === '' && (
							<p class="hint">
								There is no {KINDS[of]} {of === 'job' ? 'that has succeeded ' : of === 'mdl' ? 'that is ready ' : ''}yet.{' '}
								{of === 'ds' && <a href="#/data/new">Upload a dataset</a>}
							</p>
						)}
					</>
				)}
			</FieldFrame>
		</div>
	);
}
