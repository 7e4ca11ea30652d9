import { type Signal, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { PageTitle } from '../parts/page-title.js';
import { Problem } from '../parts/problem.js';
import { go } from '../router.js';
import { client } from '../session.js';
import { STEPS, trainSample } from './sample.js';

/** What a service shows that has nothing yet: what it is for, and one button. `step` is what is being done of the sample; null before it, and after a failure. */
export function EmptyStart({ step }: { step: Signal<number | null> }): VNode {
	const failure = useSignal<Error | null>(null);
	const begin = async (): Promise<void> => {
		if (step.peek() !== null) return;
		failure.value = null;
		step.value = 0;
		try {
			const id = await trainSample(client.peek(), (at) => {
				step.value = at;
			});
			go(`#/jobs/${id}`);
		} catch (error) {
			failure.value = error as Error;
			step.value = null;
		}
	};
	const isBusy = step.value !== null;
	return (
		<div class="empty-start">
			<PageTitle title="Train on several kinds of data, and see which to trust" />
			<p class="lead">
				Steelyard trains models on data of several kinds at once: text beside tables, signals beside images, any of which may be missing. It
				weighs each kind for each row by how much it can be trusted there, shows you why, and gives you the model as one ONNX file.
			</p>
			<section class="card" aria-labelledby="sample-title">
				<h2 id="sample-title">See it work on real e-mails</h2>
				<p>
					This uploads 1.8 MB of real e-mails described by four modalities (subject, body, routing, format), trains a model for each
					modality and a fused one whose consensus weights say how far each is trusted, and takes about half a minute on two cores. Nothing
					leaves this machine.
				</p>
				<p class="actions">
					<button type="button" class="primary" disabled={isBusy} onClick={() => void begin()}>
						Train on the sample mail
					</button>
				</p>
				{isBusy && (
					<ol class="steps" aria-live="polite">
						{STEPS.map((text, i) => (
							<li key={text} class={i > (step.value ?? 0) ? 'quiet' : ''}>
								{text}
								{i < (step.value ?? 0) ? ' ✓' : i === step.value ? ' …' : ''}
							</li>
						))}
					</ol>
				)}
				{failure.value !== null && <Problem error={failure.value} title="The sample could not be trained" again={() => void begin()} />}
			</section>
			<p class="actions">
				<a class="button" href="#/data/new">
					Use your own table
				</a>
				<span class="quiet">CSV, TSV, JSON lines, Parquet, or arrays in a zip file. You see its columns before anything is kept.</span>
			</p>
		</div>
	);
}
