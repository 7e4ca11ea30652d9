import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { differences, filled } from './differences.js';
import type { FieldOf } from './fields.js';
import { isObject, type Json, type JsonObject } from './json.js';
import { jsonFault } from './json-fault.js';
import { jsonText } from './snippets.js';

/** A job, or a sweep, that is being written: by the form and as JSON, of which each shows what the other says. */
export type Draft = {
	readonly form: FieldOf<'group'>;
	/** What the form shows. */
	readonly value: ReadonlySignal<JsonObject>;
	/** What is posted: only what differs from defaults. */
	readonly spec: ReadonlySignal<JsonObject>;
	/** The JSON: what was typed while it is being typed, else that of the form. */
	readonly text: ReadonlySignal<string>;
	/** What is wrong with the JSON; null where it is a spec, which the service still may refuse. */
	readonly fault: ReadonlySignal<string | null>;
	/** Whether the JSON shows the defaults too. */
	readonly isWhole: Signal<boolean>;
	/** Takes what the form says. */
	set(value: JsonObject): void;
	/** Takes what was typed as JSON. */
	type(text: string): void;
	/** Writes the JSON anew, as the form is: once typing has ended, or to leave what is broken. */
	rewrite(): void;
};

/** Why a text is no spec, and the spec where it is one. */
function read(text: string): { spec: JsonObject } | { fault: string } {
	const fault = jsonFault(text);
	if (fault !== null) return { fault: `Line ${fault.line}, column ${fault.column}: expected ${fault.expected}.` };
	const value = JSON.parse(text) as Json;
	return isObject(value) ? { spec: value } : { fault: 'Expected an object: { … }.' };
}

/** A draft that begins with a spec. */
export function draftOf(form: FieldOf<'group'>, spec: JsonObject): Draft {
	const value = signal(spec);
	const typed = signal<string | null>(null);
	const fault = signal<string | null>(null);
	const isWhole = signal(false);
	const sparse = computed(() => (differences(form, value.value) ?? {}) as JsonObject);
	const shown = computed(() => jsonText(isWhole.value ? ((filled(form, sparse.value) ?? {}) as JsonObject) : sparse.value));
	const rewrite = (): void => {
		typed.value = null;
		fault.value = null;
	};
	return {
		form,
		value,
		spec: sparse,
		text: computed(() => typed.value ?? shown.value),
		fault,
		isWhole,
		set(next) {
			value.value = next;
			rewrite();
		},
		type(text) {
			typed.value = text;
			const said = read(text);
			fault.value = 'fault' in said ? said.fault : null;
			if ('spec' in said) value.value = said.spec;
		},
		rewrite,
	};
}
