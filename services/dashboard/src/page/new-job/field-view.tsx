import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { count } from '../format.js';
import { anyOf, anyText } from './any-text.js';
import { changesIn, differences } from './differences.js';
import { FieldFrame, FieldRefusal, PutBack, sentences } from './field-frame.js';
import { alternativeOf, branchOf, type Field, type FieldOf, isLookedAt } from './fields.js';
import { useForm } from './form-context.js';
import { IdField } from './id-field.js';
import { having, isObject, isSame, type Json, type JsonObject, own } from './json.js';
import { ListField } from './list-field.js';
import { RecordField } from './record-field.js';

export type ViewProps<F extends Field = Field> = {
	field: F;
	value: Json | undefined;
	set: (next: Json | undefined) => void;
	/** Its path in the spec, such as `training.epochs`. */
	place: string;
};

/** Puts a field back, where it is not as it would be by itself. */
const backOf = ({ field, value, set }: ViewProps): (() => void) | null =>
	differences(field, value) === undefined ? null : () => set(undefined);

const words = (value: Json): string => (value === null ? 'none' : String(value));

function ChoiceField({ field, value, set, place }: ViewProps<FieldOf<'choice'>>): VNode {
	const chosen = value ?? field.standard;
	const isKnown = chosen === undefined || field.values.includes(chosen);
	return (
		<FieldFrame field={field} place={place} again={backOf({ field, value, set, place })}>
			{(control) => (
				<select
					{...control}
					value={chosen === undefined ? '' : JSON.stringify(chosen)}
					onChange={({ currentTarget: { value: text } }) => set(text === '' ? undefined : (JSON.parse(text) as Json))}
				>
					{field.standard === undefined && <option value="">not given</option>}
					{!isKnown && <option value={JSON.stringify(chosen)}>{JSON.stringify(chosen)}, which is not known</option>}
					{field.values.map((one) => (
						<option key={String(one)} value={JSON.stringify(one)}>
							{words(one)}
						</option>
					))}
				</select>
			)}
		</FieldFrame>
	);
}

function SwitchField({ field, value, set, place }: ViewProps<FieldOf<'switch'>>): VNode {
	const chosen = value ?? field.standard;
	return (
		<FieldFrame field={field} place={place} again={backOf({ field, value, set, place })}>
			{(control) => (
				<select
					{...control}
					value={chosen === undefined ? '' : String(chosen)}
					onChange={({ currentTarget: { value: text } }) => set(text === '' ? undefined : text === 'true')}
				>
					{field.standard === undefined && <option value="">not given</option>}
					<option value="true">yes</option>
					<option value="false">no</option>
				</select>
			)}
		</FieldFrame>
	);
}

/** An empty control stands for the default, which it shows. */
function NumberField({ field, value, set, place }: ViewProps<FieldOf<'number'>>): VNode {
	/** What was typed, such as `0.0` on the way to `0.05`, as long as it says what the field is. */
	const typed = useSignal('');
	const means = (text: string): number | null => (text.trim() === '' ? null : Number(text));
	const shown =
		typed.value !== '' && means(typed.value) === (value ?? field.standard)
			? typed.value
			: value === undefined || value === null
				? ''
				: String(value);
	return (
		<FieldFrame field={field} place={place} again={backOf({ field, value, set, place })}>
			{(control) => (
				<input
					{...control}
					type="number"
					step={field.isInteger ? 1 : 'any'}
					value={shown}
					placeholder={field.standard === undefined || field.standard === null ? '' : String(field.standard)}
					onInput={({ currentTarget: { value: text } }) => {
						typed.value = text;
						set(means(text) ?? undefined);
					}}
				/>
			)}
		</FieldFrame>
	);
}

function TextField({ field, value, set, place }: ViewProps<FieldOf<'text'>>): VNode {
	return (
		<FieldFrame field={field} place={place} again={backOf({ field, value, set, place })}>
			{(control) => (
				<input
					{...control}
					value={typeof value === 'string' ? value : ''}
					maxLength={field.longest ?? undefined}
					autocomplete="off"
					onInput={({ currentTarget: { value: text } }) => set(text === '' && !field.isRequired ? undefined : text)}
				/>
			)}
		</FieldFrame>
	);
}

/** Any value, as JSON or as a text. */
function AnyField({ field, value, set, place }: ViewProps<FieldOf<'any'>>): VNode {
	/** What was typed, as long as it says what the field is. */
	const typed = useSignal('');
	const shown = value === undefined ? '' : isSame(anyOf(typed.value), value) ? typed.value : anyText(value);
	return (
		<FieldFrame field={field} place={place} again={backOf({ field, value, set, place })}>
			{(control) => (
				<input
					{...control}
					value={shown}
					autocomplete="off"
					onInput={({ currentTarget: { value: text } }) => {
						typed.value = text;
						set(text === '' ? undefined : anyOf(text));
					}}
				/>
			)}
		</FieldFrame>
	);
}

type FieldListProps = { fields: readonly Field[]; group: Json | undefined; set: (next: JsonObject) => void; place: string };

/** The fields of a group that are looked at or were changed. */
export function FieldList({ fields, group, set, place }: FieldListProps): VNode {
	const shown = fields.filter((field) => {
		const value = own(group, field.name);
		return differences(field, value) !== undefined || (!field.isDeprecated && isLookedAt(field, fields, group));
	});
	return (
		<div class="form-fields">
			{shown.map((field) => (
				<FieldView
					key={field.name}
					field={field}
					value={own(group, field.name)}
					set={(next) => set(having(isObject(group) ? group : {}, field.name, next))}
					place={place === '' ? field.name : `${place}.${field.name}`}
				/>
			))}
		</div>
	);
}

/** How much of what a closed part holds was changed. */
export function Changes({ n }: { n: number }): VNode | null {
	return n === 0 ? null : <span class="changes">{count(n, 'change')}</span>;
}

function GroupField({ field, value, set, place }: ViewProps<FieldOf<'group'>>): VNode {
	const id = useId();
	const isOff = value === null || (value === undefined && field.standard === null);
	const again = backOf({ field, value, set, place });
	return (
		<details class="form-group" data-place={place}>
			<summary>
				{field.label} <Changes n={changesIn(field, value)} />
			</summary>
			<p class="hint">{sentences(field.help)}</p>
			<FieldRefusal place={place} />
			{again !== null && <PutBack label={field.label} again={again} />}
			{field.isNullable && (
				<p>
					<input
						id={id}
						type="checkbox"
						checked={!isOff}
						onChange={({ currentTarget: { checked } }) => set(checked ? (field.standard === null ? {} : undefined) : null)}
					/>{' '}
					<label for={id}>{field.label} on</label>
				</p>
			)}
			{!isOff && <FieldList fields={field.fields} group={value} set={set} place={place} />}
		</details>
	);
}

function BranchesField({ field, value, set, place }: ViewProps<FieldOf<'branches'>>): VNode {
	const id = useId();
	/** What was chosen of branches that were left, for those who come back. */
	const left = useRef(new Map<string, JsonObject>());
	const branch = branchOf(field, value);
	const { refusal } = useForm();
	const isRefused = refusal.value?.place === `${place}.${field.by}`;
	const choose = (name: string): void => {
		const next = field.branches.find((one) => one.name === name);
		if (next === undefined) return;
		if (branch !== undefined && isObject(value)) left.current.set(branch.name, value);
		// What both have under the same schema stays.
		const common = Object.entries(isObject(value) ? value : {}).filter(([key]) => {
			const [before, after] = [branch, next].map((one) => one?.fields.find((field) => field.name === key)?.schema);
			return before !== undefined && JSON.stringify(before) === JSON.stringify(after);
		});
		set({ ...left.current.get(name), ...Object.fromEntries(common), [field.by]: name });
	};
	const by = field.by === 'type' ? field.label : field.by.charAt(0).toUpperCase() + field.by.slice(1);
	const isFirst = branch === field.branches[0];
	const others = branch === undefined || !isObject(value) ? {} : having(value, field.by, undefined);
	const looked = branch?.fields.filter((one) => !one.isDeprecated) ?? [];
	const required = looked.filter((one) => one.isRequired);
	const free = looked.filter((one) => !one.isRequired);
	const changed = free.reduce((sum, one) => sum + changesIn(one, own(value, one.name)), 0);
	const setField = (next: JsonObject): void =>
		set(
			branch === field.branches[0] && own(value, field.by) === undefined && !field.mustName
				? next
				: { ...next, [field.by]: branch?.name as string },
		);
	return (
		<div data-place={place}>
			<FieldRefusal place={place} />
			<div class={`form-field${isFirst || field.mustName ? '' : ' changed'}`} data-place={`${place}.${field.by}`}>
				<div class="form-label">
					<label for={id}>{by}</label>
					{!isFirst && !field.mustName && <PutBack label={by} again={() => choose(field.branches[0]?.name as string)} />}
				</div>
				<select
					id={id}
					value={branch?.name ?? ''}
					aria-describedby={`${id}-help${isRefused ? ` ${id}-refused` : ''}`}
					aria-invalid={isRefused || undefined}
					onChange={({ currentTarget: { value: name } }) => choose(name)}
				>
					{branch === undefined && <option value="">{JSON.stringify(own(value, field.by))}, which is not known</option>}
					{field.branches.map(({ name, help }) => (
						<option key={name} value={name}>
							{help === '' ? name : `${name}: ${help}`}
						</option>
					))}
				</select>
				<FieldRefusal place={`${place}.${field.by}`} id={`${id}-refused`} />
				<p class="hint" id={`${id}-help`}>
					{sentences(branch?.help ?? field.help)}
				</p>
			</div>
			{branch !== undefined && (
				<>
					{required.length > 0 && <FieldList fields={required} group={others} set={setField} place={place} />}
					{free.length > 0 && (
						<details class="form-group" key={branch.name}>
							<summary>
								{field.mustName ? 'More' : `Choices of ${branch.name}`} <Changes n={changed} />
							</summary>
							<FieldList fields={free} group={others} set={setField} place={place} />
						</details>
					)}
				</>
			)}
		</div>
	);
}

/** A value alone, or with choices beside it: those are shown below it. */
function ShortField({ field, value, set, place }: ViewProps<FieldOf<'short'>>): VNode {
	const group: JsonObject = isObject(value) ? value : value === undefined ? {} : { [field.key]: value };
	const key = field.fields.find(({ name }) => name === field.key) as Field;
	const others = field.fields.filter(({ name }) => name !== field.key);
	const whole = (next: JsonObject): void => {
		const { [field.key]: named, ...choices } = next;
		if (Object.keys(choices).length > 0) set(next);
		else set(named);
	};
	const hasChoices = others.some((one) => own(group, one.name) !== undefined || isLookedAt(one, field.fields, group));
	return (
		<div class="form-wide" data-place={place}>
			<FieldView
				field={{ ...key, label: field.label, help: field.help, isRequired: false } as Field}
				value={group[field.key]}
				set={(next) => whole(having(group, field.key, next))}
				place={place}
			/>
			{hasChoices && (group[field.key] !== undefined || key.kind === 'choice') && (
				<div class="form-beside">
					<FieldsBeside fields={others} all={field.fields} group={group} set={whole} place={place} />
				</div>
			)}
		</div>
	);
}

/** Fields that stand below another one of their group, which decides whether they are looked at. */
function FieldsBeside({ fields, all, group, set, place }: FieldListProps & { all: readonly Field[] }): VNode {
	const shown = fields.filter((field) => own(group, field.name) !== undefined || isLookedAt(field, all, group));
	return <FieldList fields={shown.map((field) => ({ ...field, only: null }))} group={group} set={set} place={place} />;
}

const alternativeName = (field: Field): string =>
	field.kind === 'choice' && field.values.length === 1
		? words(field.values[0] as Json)
		: field.kind === 'record'
			? 'by name'
			: `a ${field.kind}`;

function EitherField({ field, value, set, place }: ViewProps<FieldOf<'either'>>): VNode {
	/** Which kind was chosen while there is no value yet that tells. */
	const chosen = useSignal('');
	const alternative =
		alternativeOf(field, value) ?? (value === undefined ? field.alternatives.find(({ name }) => name === chosen.value) : undefined);
	const choose = (name: string): void => {
		chosen.value = name;
		const next = field.alternatives.find((one) => one.name === name);
		set(next?.kind === 'choice' && next.values.length === 1 ? next.values[0] : undefined);
	};
	return (
		<div class="form-wide">
			<FieldFrame
				field={field}
				place={place}
				again={
					value === undefined
						? null
						: () => {
								chosen.value = '';
								set(undefined);
							}
				}
			>
				{(control) => (
					<select {...control} value={alternative?.name ?? ''} onChange={({ currentTarget: { value: name } }) => choose(name)}>
						<option value="">not given</option>
						{field.alternatives.map((one) => (
							<option key={one.name} value={one.name}>
								{alternativeName(one)}
							</option>
						))}
					</select>
				)}
			</FieldFrame>
			{alternative !== undefined && !(alternative.kind === 'choice' && alternative.values.length === 1) && (
				<div class="form-beside">
					<FieldView field={{ ...alternative, label: `${field.label} by name` }} value={value} set={set} place={place} />
				</div>
			)}
		</div>
	);
}

/** The control of a field, whatever its kind. */
export function FieldView({ field, ...rest }: ViewProps): VNode {
	switch (field.kind) {
		case 'choice':
			return <ChoiceField field={field} {...rest} />;
		case 'switch':
			return <SwitchField field={field} {...rest} />;
		case 'number':
			return <NumberField field={field} {...rest} />;
		case 'text':
			return field.of === null ? <TextField field={field} {...rest} /> : <IdField field={field} {...rest} />;
		case 'list':
			return <ListField field={field} {...rest} />;
		case 'record':
			return <RecordField field={field} {...rest} />;
		case 'group':
			return <GroupField field={field} {...rest} />;
		case 'branches':
			return <BranchesField field={field} {...rest} />;
		case 'short':
			return <ShortField field={field} {...rest} />;
		case 'any':
			return <AnyField field={field} {...rest} />;
		case 'either':
			return <EitherField field={field} {...rest} />;
	}
}
