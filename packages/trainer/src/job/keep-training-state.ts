import { join } from 'node:path';
import { keptStateOf, TRAINING_STATE } from '@steelyard/contracts';
import type { Tensor } from '@steelyard/runtime';
import type { Architecture, Parameters } from '../model/architecture.js';
import { layoutOf, parametersByName } from '../model/parameter-layout.js';
import type { TrainedBefore } from '../step/fit.js';
import type { Job } from './job.js';
import { safetensorsParts } from './safetensors.js';
import { throwIfStopped, withRoom } from './stop.js';
import { flattened, type TensorTree } from './tensor-tree.js';
import { FORMAT, type Header, trainedRowsOf } from './training-state.js';
import { membersOf, nameOf } from './unimodal-members.js';
import { writeWhole } from './whole-file.js';

/** Tensors by the names under which other jobs look for them. */
const stored = ({ storedName }: Architecture, tensors: ReadonlyMap<string, Tensor>): Record<string, Tensor> =>
	Object.fromEntries([...tensors].map(([name, value]) => [storedName(name), value]));

/** The parameters and running statistics of an architecture, by the names under which other jobs look for them. */
function storedParameters(architecture: Architecture, parameters: Parameters): Record<string, Tensor> {
	const { trained, running } = layoutOf(architecture);
	return stored(architecture, parametersByName([...trained, ...running], parameters));
}

/** The end of the training of the fusion model: what was chosen, and what the last step left. */
export type TrainingEnd = TrainedBefore & {
	readonly best: Parameters;
	readonly last: Parameters;
	readonly slots: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;
};

/**
 * Writes the artifact that jobs with `training.initialise_from` begin with, as `training.keep_state` asks: `fusion/best/<parameter>`, `fusion/last/<parameter>`,
 * `fusion/slots/<slot>/<parameter>` and `unimodal/<model>/<parameter>`. Waits for room on the disk, and throws Stopped where the job is asked to stop meanwhile.
 */
export async function keepTrainingState(
	job: Job,
	output: string,
	{ best, last, slots, epochs, steps, skipped = 0 }: TrainingEnd,
): Promise<void> {
	const kept = keptStateOf(job.spec.training);
	if (kept === 'none') return;
	throwIfStopped(job);
	const ofSlots = kept === 'optimizer' ? Object.fromEntries([...slots].map(([slot, of]) => [slot, stored(job.fusion, of)])) : {};
	const members = job.weighted ? membersOf(job) : [];
	const tree: TensorTree = {
		fusion: { best: storedParameters(job.fusion, best), last: storedParameters(job.fusion, last), slots: ofSlots },
		unimodal: Object.fromEntries(
			members.map((member) => [
				nameOf(member),
				storedParameters(job.unimodal[member.m] as Architecture, job.state.unimodal.get(nameOf(member)) as Parameters),
			]),
		),
	};
	const before = { epochs, steps, ...(skipped === 0 ? {} : { skipped }) };
	const header: Header = { format: FORMAT, ...before, slots: Object.keys(ofSlots), rows: trainedRowsOf(job.spec, job.dataset) };
	const parts = safetensorsParts(flattened(tree), { steelyard: JSON.stringify(header) });
	await withRoom(job, () => writeWhole(join(output, TRAINING_STATE), parts));
}
