import type { VNode } from 'preact';
import { useId } from 'preact/hooks';
import { CopyButton } from '../parts/copy-button.js';
import { linkTo, place } from '../router.js';
import { hasKey, project, serviceUrl } from '../session.js';
import type { Draft } from './draft.js';
import { curlText, pythonText, typescriptText } from './snippets.js';

const FORMS = [
	['json', 'JSON'],
	['curl', 'curl'],
	['typescript', 'TypeScript'],
	['python', 'Python'],
] as const;
type Form = (typeof FORMS)[number][0];

type PanelProps = { draft: Draft; of: 'job' | 'sweep' };

const WRITTEN = { curl: curlText, typescript: typescriptText, python: pythonText };
const NEEDS: Readonly<Record<keyof typeof WRITTEN, string | null>> = {
	curl: null,
	typescript: 'With the package @steelyard/client.',
	python: 'With clients/python of the repository, which needs nothing but Python.',
};

function JsonText({ draft, of }: PanelProps): VNode {
	const id = useId();
	const fault = draft.fault.value;
	return (
		<>
			<p class="form-beside-actions">
				<label>
					<input
						type="checkbox"
						checked={draft.isWhole.value}
						onChange={({ currentTarget }) => {
							draft.isWhole.value = currentTarget.checked;
							draft.rewrite();
						}}
					/>{' '}
					Show defaults too
				</label>
				<CopyButton text={draft.text.value} what="the JSON" />
			</p>
			<label for={id} class="unseen">
				Spec of the {of} as JSON
			</label>
			<textarea
				id={id}
				class="mono spec-text"
				rows={Math.min(30, Math.max(12, draft.text.value.split('\n').length + 1))}
				spellcheck={false}
				value={draft.text.value}
				aria-invalid={fault !== null || undefined}
				aria-describedby={`${id}-said`}
				onInput={({ currentTarget }) => draft.type(currentTarget.value)}
				onBlur={() => draft.fault.value === null && draft.rewrite()}
			/>
			<div id={`${id}-said`}>
				{fault === null ? (
					<p class="hint">
						Edit it here or in the form: each follows the other. {draft.isWhole.value ? '' : 'It has only what differs from defaults.'}
					</p>
				) : (
					<>
						<p class="field-error" role="alert">
							{fault} The form stays as it was until then.
						</p>
						<button type="button" onClick={() => draft.rewrite()}>
							Write it as the form is
						</button>
					</>
				)}
			</div>
		</>
	);
}

/** What is posted as JSON, which can be edited, and as what one would write elsewhere. */
export function SpecPanel({ draft, of }: PanelProps): VNode {
	const { path, query } = place.value;
	const wanted = query.get('code');
	const form: Form = FORMS.find(([name]) => name === wanted)?.[0] ?? 'json';
	const text =
		form === 'json' ? '' : WRITTEN[form](draft.spec.value, { of, url: serviceUrl, hasKey: hasKey.value, project: project.value });
	return (
		<aside class="spec-panel" aria-label="The same as text">
			<nav class="tabs" aria-label={`How the ${of} is written`}>
				{FORMS.map(([name, title]) => (
					<a
						key={name}
						href={linkTo(path, { ...Object.fromEntries(query), code: name === 'json' ? null : name })}
						aria-current={name === form ? 'page' : undefined}
					>
						{title}
					</a>
				))}
			</nav>
			{form === 'json' ? (
				<JsonText draft={draft} of={of} />
			) : (
				<>
					<p class="form-beside-actions">
						<span class="hint">
							{NEEDS[form]} {hasKey.value && 'It takes the key from STEELYARD_API_KEY of the environment.'}
						</span>
						<CopyButton text={text} what={`the ${form}`} />
					</p>
					{/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it has to be reached by keyboard */}
					<pre tabIndex={0}>{text}</pre>
				</>
			)}
		</aside>
	);
}
