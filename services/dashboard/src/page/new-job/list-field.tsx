import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { anyOf, anyText } from './any-text.js';
import { differences } from './differences.js';
import { FieldFrame, FieldRefusal, PutBack, sentences } from './field-frame.js';
import type { ViewProps } from './field-view.js';
import type { FieldOf } from './fields.js';
import { useForm } from './form-context.js';
import { isSame, type Json } from './json.js';

/** Up to so many modalities can be ticked; more are typed. */
const MOST_BOXES = 40;

/** The items that lines hold, as far as they are values of the list; a line that is none stays a text, which the service refuses with its place. */
function itemsOf({ item }: FieldOf<'list'>, text: string): Json[] {
	const lines = text
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '');
	if (item.kind === 'any') return lines.map(anyOf);
	return lines.map((line) => (item.kind === 'number' && Number.isFinite(Number(line)) ? Number(line) : line));
}

function ModalityBoxes({ field, value, set, place, modalities }: ViewProps<FieldOf<'list'>> & { modalities: readonly string[] }): VNode {
	const id = useId();
	const given = Array.isArray(value) ? (value as readonly string[]) : null;
	const names = [...new Set([...modalities, ...(given ?? [])])];
	const tick = (name: string, isOn: boolean): void => {
		const next = names.filter((one) => (one === name ? isOn : (given ?? names).includes(one)));
		set(next.length === 0 || next.length === names.length ? undefined : next);
	};
	return (
		<fieldset class={`form-field form-wide${given === null ? '' : ' changed'}`} data-place={place} aria-describedby={`${id}-help`}>
			<legend class="form-label">
				{field.label} {given !== null && <PutBack label={field.label} again={() => set(undefined)} />}
			</legend>
			<div class="form-boxes">
				{names.map((name) => (
					<label key={name}>
						<input
							type="checkbox"
							checked={given === null || given.includes(name)}
							onChange={({ currentTarget: { checked } }) => tick(name, checked)}
						/>{' '}
						{name}
					</label>
				))}
			</div>
			<FieldRefusal place={place} />
			<p class="hint" id={`${id}-help`}>
				{sentences(field.help)}
			</p>
		</fieldset>
	);
}

/** Several values, one a line; of modalities those of the chosen dataset, to be ticked. */
export function ListField(props: ViewProps<FieldOf<'list'>>): VNode {
	const { field, value, set, place } = props;
	const { modalities } = useForm();
	const typed = useSignal('');
	if (field.isOfModalities && modalities.value.length > 0 && modalities.value.length <= MOST_BOXES)
		return <ModalityBoxes {...props} modalities={modalities.value} />;
	const items = Array.isArray(value) ? (value as readonly Json[]) : [];
	// What was typed stays as it is, with its empty lines, as long as it says the same.
	const shown = isSame(itemsOf(field, typed.value), items)
		? typed.value
		: items.map(field.item.kind === 'any' ? anyText : String).join('\n');
	return (
		<div class="form-wide">
			<FieldFrame field={field} place={place} again={differences(field, value) === undefined ? null : () => set(undefined)}>
				{(control) => (
					<textarea
						{...control}
						rows={3}
						value={shown}
						placeholder="one a line"
						spellcheck={false}
						onInput={({ currentTarget: { value: text } }) => {
							typed.value = text;
							const next = itemsOf(field, text);
							set(next.length === 0 ? undefined : next);
						}}
					/>
				)}
			</FieldFrame>
		</div>
	);
}
