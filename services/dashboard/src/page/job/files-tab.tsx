import { useSignal } from '@preact/signals';
import type { Artifact } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { bytes } from '../format.js';
import { saveFile } from '../plots/save.js';
import { client, hasKey, serviceUrl } from '../session.js';
import type { TabProps } from './tab.js';

/** What each file is for. */
const MEANING: Readonly<Record<string, string>> = {
	'model.onnx': 'the trained model with its weighting, for any ONNX Runtime',
	'model-features.onnx': 'the model without the features: it takes what the columns were made into',
	'graph.onnx': 'your own graph with trained numbers',
	'adapters.safetensors': 'the low-rank updates apart',
	'report.md': 'the model card, for people',
	'report.json': 'spec, dataset and result',
	'metrics.json': 'the curves',
	'evaluation.json': 'what the pictures of the evaluation are drawn from',
	'calibration.json': 'reliability of the probabilities',
	'explanation.parquet': 'for every row: weights, divergence, prediction, label',
	'explanation.json': 'the rows that trust each modality most and least',
	'diagnostics.json': 'each modality alone, and pairs of them',
	'robustness.json': 'what happens where a modality breaks',
	'training-state.safetensors': 'what later jobs can begin with',
};

/** The files of a job, with their checksums. */
export function FilesTab({ job }: TabProps): VNode {
	const refusal = useSignal<string | null>(null);
	if (job.artifacts.length === 0) return <p class="quiet">There are files once the job has succeeded.</p>;
	// A link carries no key, so where one is needed the file is fetched first.
	const fetchFile = async ({ name }: Artifact): Promise<void> => {
		refusal.value = null;
		try {
			const response = await client.value.jobs.download(job.id, name);
			saveFile(name, await response.blob());
		} catch (error) {
			refusal.value = (error as Error).message;
		}
	};
	const order = Object.keys(MEANING);
	const place = ({ name }: Artifact) => (order.includes(name) ? order.indexOf(name) : order.length);
	return (
		<>
			{refusal.value !== null && (
				<p class="field-error" role="alert">
					{refusal.value}
				</p>
			)}
			<div class="scroll files" tabIndex={0} role="region" aria-label="Files of the job">
				<table>
					<thead>
						<tr>
							<th scope="col">file</th>
							<th scope="col">what it holds</th>
							<th scope="col" class="number">
								size
							</th>
							<th scope="col">sha256</th>
						</tr>
					</thead>
					<tbody>
						{[...job.artifacts]
							.sort((a, b) => place(a) - place(b))
							.map((artifact) => (
								<tr key={artifact.name}>
									<td>
										{hasKey.value ? (
											<button type="button" onClick={() => void fetchFile(artifact)}>
												{artifact.name}
											</button>
										) : (
											<a href={`${serviceUrl}/v1/jobs/${job.id}/artifacts/${encodeURIComponent(artifact.name)}`} download={artifact.name}>
												{artifact.name}
											</a>
										)}
									</td>
									<td>{MEANING[artifact.name] ?? artifact.content_type}</td>
									<td class="number">{bytes(artifact.bytes)}</td>
									<td>
										<code>{artifact.sha256}</code>
									</td>
								</tr>
							))}
					</tbody>
				</table>
			</div>
		</>
	);
}
