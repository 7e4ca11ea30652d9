import { type DatasetFields, type JobSpec, ProblemError } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { customArchitecture } from '../custom/custom-architecture.js';
import type { GraphFile } from '../custom/graph-file.js';
import { openUploaded } from '../custom/uploaded.js';
import type { Architecture } from '../model/architecture.js';
import { familyArchitecture } from '../model/family-architecture.js';

/** The models of a job: the one that fuses all modalities and, where modalities are weighed, one per modality. */
export type Architectures = { readonly fusion: Architecture; readonly unimodal: readonly Architecture[] };

/** Makes the models that a spec asks for, with so many outputs for the built-in families; `file` holds the uploaded graph, for the family `custom`. Throws ProblemError and, for a graph, GraphError and RuntimeError. */
export async function architecturesOf(
	{ model: config, training }: JobSpec,
	file: GraphFile | null,
	{
		modalities,
		dataset,
		outputs,
		weighted,
	}: { modalities: readonly ModalityShape[]; dataset: DatasetFields; outputs: number; weighted: boolean },
): Promise<Architectures> {
	const all = (of: (chosen: readonly ModalityShape[]) => Architecture): Architectures => ({
		fusion: of(modalities),
		unimodal: weighted ? modalities.map((modality) => of([modality])) : [],
	});
	if (config.family !== 'custom') return all((chosen) => familyArchitecture({ config, modalities: chosen, outputs }));
	if (file === null) throw new ProblemError('model_not_found', `The graph of the model ${config.model} is not there`, 'model.model');
	const uploaded = await openUploaded(file, config, { modalities, dataset, weighted, batch: training.batch_size });
	return all((chosen) => customArchitecture(uploaded, chosen, modalities));
}
