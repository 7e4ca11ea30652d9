import { useSignal } from '@preact/signals';
import type { JobResource, Prediction } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { Problem } from '../parts/problem.js';
import { client } from '../session.js';
import { WhatChanges } from './what-changes.js';

/** Tries a model on a row written as JSON, where its dataset was deleted and nobody knows what a row of it looks like. */
export function JsonTrial({ job }: { job: JobResource }): VNode {
	// Only the model of a table has a second file, which takes its features in the place of columns.
	const isTable = job.artifacts.some(({ name }) => name === 'model-features.onnx');
	const names = isTable ? [] : Object.keys(job.result?.modality_weights ?? {});
	const text = useSignal(JSON.stringify(Object.fromEntries(names.map((name) => [name, null])), null, 2));
	const problem = useSignal<string | null>(null);
	const refusal = useSignal<Error | null>(null);
	const prediction = useSignal<Prediction | null>(null);
	const predict = async (event: SubmitEvent): Promise<void> => {
		event.preventDefault();
		problem.value = null;
		refusal.value = null;
		let row: unknown;
		try {
			row = JSON.parse(text.value);
		} catch (error) {
			problem.value = `This is no JSON: ${(error as Error).message}`;
			return;
		}
		if (typeof row !== 'object' || row === null || Array.isArray(row)) {
			problem.value = 'Expected an object with a value for each column or modality, such as {"age": 87}.';
			return;
		}
		try {
			prediction.value = (await client.value.jobs.predict(job.id, [row as Record<string, unknown>])).data[0] ?? null;
		} catch (error) {
			refusal.value = error as Error;
		}
	};
	return (
		<>
			<p class="note">
				The dataset of this job was deleted, so there are no rows to pick from. The model still works: write a row as JSON, with the columns
				of its table, or else with a list for each modality.
			</p>
			<form onSubmit={(event) => void predict(event)}>
				<label class="field">
					<span>A row as JSON</span>
					<textarea
						class="mono"
						rows={10}
						value={text.value}
						aria-describedby={problem.value === null ? undefined : 'row-problem'}
						onInput={(event) => {
							text.value = event.currentTarget.value;
						}}
					/>
				</label>
				{problem.value !== null && (
					<p class="field-error" id="row-problem" role="alert">
						{problem.value}
					</p>
				)}
				<p class="actions">
					<button type="submit" class="primary">
						Predict
					</button>
				</p>
			</form>
			{refusal.value !== null && <Problem error={refusal.value} title="The model takes no such row" />}
			{prediction.value !== null && (
				<section aria-labelledby="said-title">
					<h2 id="said-title">What the model says</h2>
					<WhatChanges asIs={prediction.value} changed={null} without="" label={undefined} />
				</section>
			)}
		</>
	);
}
