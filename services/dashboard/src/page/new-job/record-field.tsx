import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { FieldRefusal, sentences } from './field-frame.js';
import { Changes, FieldView, type ViewProps } from './field-view.js';
import type { Field, FieldOf } from './fields.js';
import { useForm } from './form-context.js';
import { having, isObject, type Json, type JsonObject } from './json.js';

/** What a new entry begins with. */
function first({ kind, standard, schema, ...field }: Field): Json {
	if (standard !== undefined) return standard;
	if (kind === 'branches' && (field as FieldOf<'branches'>).mustName)
		return { [(field as FieldOf<'branches'>).by]: (field as FieldOf<'branches'>).branches[0]?.name ?? '' };
	if (kind === 'number') return schema.minimum ?? (schema.exclusiveMinimum === undefined ? 0 : schema.exclusiveMinimum + 1);
	if (kind === 'choice') return (field as FieldOf<'choice'>).values[0] ?? '';
	return kind === 'text' ? '' : {};
}

/** Values by names that a person chooses; of modalities, those of the chosen dataset are offered. */
export function RecordField({ field, value, set, place }: ViewProps<FieldOf<'record'>>): VNode {
	const id = useId();
	const name = useSignal('');
	const refused = useSignal<string | null>(null);
	const { modalities, entriesAt } = useForm();
	const known = entriesAt(place);
	const entries: JsonObject = isObject(value) ? value : {};
	const offered = [...(field.isByModality ? modalities.value : (known?.keys() ?? []))].filter((one) => !Object.hasOwn(entries, one));
	const put = (next: JsonObject): void => set(Object.keys(next).length === 0 ? undefined : next);
	const add = (): void => {
		const wanted = name.value.trim();
		if (wanted === '' && place !== 'metadata') {
			refused.value = 'Give a name first.';
		} else if (Object.hasOwn(entries, wanted)) {
			refused.value = `${wanted} is there already.`;
		} else {
			refused.value = null;
			name.value = '';
			put({ ...entries, [wanted]: known?.get(wanted) ?? first(field.value) });
		}
	};
	const isGroup = field.value.kind === 'group';
	return (
		<details class="form-group" data-place={place} open={field.isRequired || undefined}>
			<summary>
				{field.label} {field.isRequired && <span class="quiet">(required)</span>} <Changes n={Object.keys(entries).length} />
			</summary>
			<p class="hint">{sentences(field.help)}</p>
			<FieldRefusal place={place} />
			{Object.entries(entries).map(([key, one]) => (
				<div key={key} class="form-entry">
					<FieldView
						field={{ ...field.value, label: key, isRequired: !isGroup } as Field}
						value={one}
						set={(next) => put(having(entries, key, next ?? first(field.value)))}
						place={`${place}.${key}`}
					/>
					<button type="button" onClick={() => put(having(entries, key, undefined))}>
						Remove<span class="unseen"> {key}</span>
					</button>
				</div>
			))}
			<div class="form-add">
				<label for={id}>{field.isByModality ? 'Modality' : 'Name'}</label>
				<input
					id={id}
					value={name.value}
					list={offered.length > 0 ? `${id}-offered` : undefined}
					placeholder={offered[0] ?? ''}
					autocomplete="off"
					onInput={({ currentTarget }) => {
						name.value = currentTarget.value;
					}}
					onKeyDown={(event) => {
						if (event.key !== 'Enter') return;
						event.preventDefault();
						add();
					}}
				/>
				{offered.length > 0 && (
					<datalist id={`${id}-offered`}>
						{offered.map((one) => (
							<option key={one} value={one} />
						))}
					</datalist>
				)}
				<button type="button" onClick={add}>
					Add<span class="unseen"> to {field.label}</span>
				</button>
			</div>
			{refused.value !== null && (
				<p class="field-error" role="alert">
					{refused}
				</p>
			)}
			{field.names !== '' && <p class="hint">A name is {field.names}.</p>}
		</details>
	);
}
