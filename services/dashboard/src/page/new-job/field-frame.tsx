import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import { expectedOf, type Field } from './fields.js';
import { useForm } from './form-context.js';

/** What ties the control of a field to its label, its help and its refusal. */
export type ControlProps = { id: string; 'aria-describedby': string; 'aria-invalid': true | undefined };

/** The words of the service about the field at a place. */
export function FieldRefusal({ place, id }: { place: string; id?: string | undefined }): VNode | null {
	const { refusal } = useForm();
	if (refusal.value?.place !== place) return null;
	return (
		<p class="field-error" id={id}>
			{refusal.value.message}
		</p>
	);
}

/** Says that a field is not as it would be by itself, and puts it back. */
export function PutBack({ label, again }: { label: string; again: () => void }): VNode {
	return (
		<button type="button" class="quiet-button put-back" onClick={again}>
			changed: put back<span class="unseen"> {label}</span>
		</button>
	);
}

/** Parts of a help as sentences. */
export const sentences = (...parts: readonly string[]): string =>
	parts
		.filter((part) => part !== '')
		.map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}.`)
		.join(' ');

type FieldFrameProps = {
	field: Field;
	place: string;
	/** Puts the field back; null where it is as it would be by itself. */
	again: (() => void) | null;
	children: (control: ControlProps) => ComponentChildren;
};

/** A field of one value: its label, its control, its help and what was refused. */
export function FieldFrame({ field, place, again, children }: FieldFrameProps): VNode {
	const id = useId();
	const isRefused = useForm().refusal.value?.place === place;
	const help = sentences(field.help, expectedOf(field));
	return (
		<div class={`form-field${again === null ? '' : ' changed'}`} data-place={place}>
			<div class="form-label">
				<label for={id}>
					{field.label}
					{field.isRequired && <span class="quiet"> (required)</span>}
				</label>
				{again !== null && !field.isRequired && <PutBack label={field.label} again={again} />}
			</div>
			{children({ id, 'aria-describedby': `${id}-help${isRefused ? ` ${id}-refused` : ''}`, 'aria-invalid': isRefused || undefined })}
			<FieldRefusal place={place} id={`${id}-refused`} />
			<p class="hint" id={`${id}-help`}>
				{help}
			</p>
		</div>
	);
}
