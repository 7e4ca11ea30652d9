import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { SteelyardError } from '@steelyard/client';
import type { RefObject, VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { Problem } from '../parts/problem.js';
import type { Draft } from './draft.js';
import type { Refusal } from './form-context.js';
import type { JsonObject } from './json.js';
import { placesOf } from './param.js';

/** Shows a field: opens what it lies in, scrolls to it and gives it the focus. */
function show(element: Element): void {
	for (let part: Element | null = element; part !== null; part = part.parentElement)
		if (part instanceof HTMLDetailsElement) part.open = true;
	const control = element.querySelector<HTMLElement>('input, select, textarea, summary') ?? (element as HTMLElement);
	control.focus({ preventScroll: true });
	element.scrollIntoView({ block: 'center' });
}

/** How a form posts what it says, and what became of that. */
export type Posting = {
	readonly form: RefObject<HTMLFormElement | null>;
	/** What the service refused at a field; null where it named none that is shown. */
	readonly refusal: Signal<Refusal | null>;
	readonly failure: Signal<Error | null>;
	readonly isPosting: Signal<boolean>;
	readonly submit: (event: SubmitEvent) => void;
};

/**
 * Posts a draft by `post` when its form is submitted; what is refused is shown at its field.
 *
 * @param placed where the field that an error names may stand, best first
 */
export function usePosting(
	draft: Draft,
	post: (spec: JsonObject) => Promise<void>,
	placed: (param: string | null) => string[] = placesOf,
): Posting {
	const form = useRef<HTMLFormElement>(null);
	const refusal = useSignal<Refusal | null>(null);
	const failure = useSignal<Error | null>(null);
	const isPosting = useSignal(false);

	// What was refused is not what stands there any more.
	useSignalEffect(() => {
		void draft.value.value;
		refusal.value = null;
		failure.value = null;
	});

	const refuse = (error: Error): void => {
		failure.value = error;
		const param = error instanceof SteelyardError ? error.param : null;
		for (const place of placed(param)) {
			const element = [...(form.current?.querySelectorAll('[data-place]') ?? [])].find((one) => one.getAttribute('data-place') === place);
			if (element === undefined) continue;
			refusal.value = { place, message: error.message };
			requestAnimationFrame(() => show(element));
			return;
		}
		requestAnimationFrame(() => form.current?.querySelector('.refused')?.scrollIntoView({ block: 'center' }));
	};

	const submit = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		if (isPosting.peek()) return;
		refusal.value = null;
		failure.value = null;
		const broken = [...(form.current?.querySelectorAll('input') ?? [])].find((input) => input.validity.badInput);
		const place = broken?.closest('[data-place]')?.getAttribute('data-place');
		if (broken !== undefined && place) {
			refusal.value = { place, message: 'This is not a number.' };
			show(broken.closest('[data-place]') as Element);
			return;
		}
		if (draft.fault.peek() !== null) {
			document.querySelector<HTMLElement>('.spec-text')?.focus();
			failure.value = new Error(`The JSON beside the form is broken. ${draft.fault.peek()}`);
			return;
		}
		isPosting.value = true;
		try {
			await post(draft.spec.peek());
		} catch (error) {
			refuse(error as Error);
		} finally {
			isPosting.value = false;
		}
	};
	return { form, refusal, failure, isPosting, submit: (event) => void submit(event) };
}

/** Says why what a form says was not taken; `what` it is, such as "the job". */
export const Refused = ({ failure, what }: { failure: Error | null; what: string }): VNode => (
	<div class="refused">
		{failure !== null && (
			<Problem error={failure} title={failure instanceof SteelyardError ? `The service refused ${what}` : 'This cannot be posted'} />
		)}
	</div>
);
