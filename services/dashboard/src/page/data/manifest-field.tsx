import type { TableManifest } from '@steelyard/contracts';
import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import { fieldOf, withField } from './manifest-edit.js';

/** What the fields of a manifest share: the manifest, what to do with another one, and what the service refuses, by field. */
export type Editing = {
	readonly manifest: TableManifest;
	readonly change: (manifest: TableManifest) => void;
	readonly faultOf: (field: string) => string | null;
};

type FieldProps = { editing: Editing; field: string; name: string; hint?: ComponentChildren };

/** A field with its name, what it means, and what is wrong with it. */
export function Field({
	name,
	hint,
	fault,
	children,
}: {
	name: string;
	hint?: ComponentChildren;
	fault: string | null;
	children: (attributes: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => VNode;
}): VNode {
	const id = useId();
	const described = [hint !== undefined && `${id}-hint`, fault !== null && `${id}-fault`].filter((one) => one !== false).join(' ');
	return (
		<div class="field">
			<label for={id}>{name}</label>
			{children({
				id,
				...(described === '' ? {} : { 'aria-describedby': described }),
				...(fault === null ? {} : { 'aria-invalid': true }),
			})}
			{hint !== undefined && (
				<p class="hint" id={`${id}-hint`}>
					{hint}
				</p>
			)}
			{fault !== null && (
				<p class="field-error" id={`${id}-fault`} role="alert">
					{fault}
				</p>
			)}
		</div>
	);
}

/** A field of a manifest that is one of some values, or is not said. */
export function ChoiceField({
	options,
	unsaid,
	...props
}: FieldProps & { options: readonly (readonly [value: string | boolean, name: string])[]; unsaid: string }): VNode {
	const { editing, field, name, hint } = props;
	const value = fieldOf(editing.manifest, field);
	return (
		<Field name={name} hint={hint} fault={editing.faultOf(field)}>
			{(attributes) => (
				<select
					{...attributes}
					value={typeof value === 'object' ? '' : String(value ?? '')}
					onChange={(event) => {
						const found = options.find(([one]) => String(one) === event.currentTarget.value);
						editing.change(withField(editing.manifest, field, found?.[0]));
					}}
				>
					<option value="">{unsaid}</option>
					{options.map(([one, words]) => (
						<option key={String(one)} value={String(one)}>
							{words}
						</option>
					))}
				</select>
			)}
		</Field>
	);
}

/** A field of a manifest that is a number; what stands unless it is said is its placeholder. */
export function NumberField({
	unsaid,
	step = 1,
	min = 0,
	max,
	...props
}: FieldProps & { unsaid: string; step?: number | 'any'; min?: number; max?: number }): VNode {
	const { editing, field, name, hint } = props;
	const value = fieldOf(editing.manifest, field);
	return (
		<Field name={name} hint={hint} fault={editing.faultOf(field)}>
			{(attributes) => (
				<input
					{...attributes}
					type="number"
					{...{ step, min, max }}
					value={typeof value === 'number' ? value : ''}
					placeholder={unsaid}
					onChange={(event) => {
						const { value: text, valueAsNumber } = event.currentTarget;
						editing.change(withField(editing.manifest, field, text === '' || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber));
					}}
				/>
			)}
		</Field>
	);
}

/** A field of a manifest that is a text, or with `isList` a list of texts between commas. */
export function TextField({ unsaid, isList = false, ...props }: FieldProps & { unsaid: string; isList?: boolean }): VNode {
	const { editing, field, name, hint } = props;
	const value = fieldOf(editing.manifest, field);
	return (
		<Field name={name} hint={hint} fault={editing.faultOf(field)}>
			{(attributes) => (
				<input
					{...attributes}
					value={Array.isArray(value) ? value.join(', ') : typeof value === 'string' ? value : ''}
					placeholder={unsaid}
					onChange={(event) => {
						const { value: text } = event.currentTarget;
						const parts = text.split(',').map((part) => part.trim());
						editing.change(
							withField(editing.manifest, field, text === '' ? undefined : isList ? parts.filter((part) => part !== '') : text),
						);
					}}
				/>
			)}
		</Field>
	);
}
