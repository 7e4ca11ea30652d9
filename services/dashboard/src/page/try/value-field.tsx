import { useSignal } from '@preact/signals';
import type { ColumnProfile } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { useEffect, useId } from 'preact/hooks';
import { choicesOf, controlOf, typedOf, valueOf } from './row-form.js';

type Props = {
	name: string;
	column: Pick<ColumnProfile, 'kind' | 'examples'>;
	/** What is known to be in the column. */
	known: readonly string[];
	value: unknown;
	/** Whether it is another one than that of the row that was picked. */
	isEdited: boolean;
	/** What the service says is wrong with it. */
	fault: string | null;
	change: (value: unknown) => void;
	restore: () => void;
};

const OTHER = ' other';

/** A value of a row that is tried. An empty field means that nothing is there. */
export function ValueField({ name, column, known, value, isEdited, fault, change, restore }: Props): VNode {
	const id = useId();
	/** A text that means no value, and what is wrong with it. */
	const draft = useSignal<{ text: string; problem: string } | null>(null);
	const isOther = useSignal(false);
	const control = controlOf(column, value);
	const typed = typedOf(control, value);
	useEffect(() => {
		draft.value = null;
	}, [typed]);
	const take = (text: string): void => {
		const found = valueOf(control, text, typeof value === 'string' ? value : column.examples[0]);
		draft.value = 'problem' in found ? { text, problem: found.problem } : null;
		if ('value' in found) change(found.value);
	};
	const said = draft.value?.problem ?? fault;
	const text = draft.value?.text ?? typed;
	const attributes = {
		id,
		...(said === null ? {} : { 'aria-invalid': true, 'aria-describedby': `${id}-fault` }),
		placeholder: 'nothing',
	};
	const onChange = (event: { currentTarget: { value: string } }): void => take(event.currentTarget.value);
	const types = { number: 'number', date: 'date', moment: 'datetime-local', line: 'text' } as const;
	return (
		<div class="field">
			<div class="field-head">
				<label for={id}>{name}</label>
				{isEdited && (
					<button type="button" class="quiet-button" onClick={restore} aria-label={`${name} as in the row`}>
						as in the row
					</button>
				)}
			</div>
			{control === 'choice' && !isOther.value ? (
				<select
					id={id}
					value={typed}
					onChange={(event) => {
						isOther.value = event.currentTarget.value === OTHER;
						if (!isOther.value) take(event.currentTarget.value);
					}}
				>
					<option value="">nothing</option>
					{choicesOf(known, value).map((choice) => (
						<option key={choice} value={choice}>
							{choice}
						</option>
					))}
					<option value={OTHER}>another …</option>
				</select>
			) : control === 'text' || control === 'json' ? (
				<textarea
					{...attributes}
					rows={control === 'text' ? 3 : 2}
					value={text}
					onChange={onChange}
					class={control === 'json' ? 'mono' : undefined}
				/>
			) : (
				<input
					{...attributes}
					type={(control === 'choice' ? 'text' : types[control]) as 'text'}
					{...(control === 'number' ? { step: 'any' } : control === 'moment' && typed.length > 16 ? { step: 1 } : {})}
					value={text}
					onChange={onChange}
				/>
			)}
			{said !== null && (
				<p class="field-error" id={`${id}-fault`} role="alert">
					{said}
				</p>
			)}
		</div>
	);
}
