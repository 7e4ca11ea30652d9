import type { TaskProfile } from '@steelyard/contracts';
import type { Standardisation } from '@steelyard/dataset';
import type { Architecture } from '../model/architecture.js';
import { maskWidth, type TargetScale } from '../model/examples.js';
import {
	fillAuxiliaryTarget,
	fillLabels,
	fillMaskOf,
	fillPresence,
	fillSampleWeight,
	fillTarget,
	fillValues,
	fillWeight,
	type Port,
	port,
	type TrainingBatch,
} from '../model/port.js';
import { LABELS, maskName, presenceName, SAMPLE_WEIGHT, TARGET, targetName, valuesName, weightName } from '../model/value-names.js';

export type TrainingPortsOptions = {
	readonly architecture: Architecture;
	readonly task: TaskProfile;
	readonly scale: TargetScale;
	readonly standardisation: ReadonlyMap<string, Standardisation>;
};

/** What a training step takes of each row: values, mask, weight and presence of each modality, the target, the targets of auxiliary outputs, the labels of a loss of the graph itself, and how much the row counts. */
export function trainingPorts({ architecture, task, scale, standardisation }: TrainingPortsOptions): Port<TrainingBatch>[] {
	const { modalities, masks, outputs, positions, ownLoss, auxiliary } = architecture;
	return [
		...modalities.map((modality) =>
			port(valuesName(modality.name), modality.shape, fillValues(modality), standardisation.get(modality.name) ?? null),
		),
		...modalities.flatMap((modality) => {
			const kind = masks.get(modality.name);
			return kind === undefined ? [] : [port(maskName(modality.name), [maskWidth(modality, kind)], fillMaskOf(modality, kind))];
		}),
		...modalities.map(({ name }, m) => port(weightName(name), [1], fillWeight(m, modalities.length))),
		...modalities.map(({ name }, m) => port(presenceName(name), [1], fillPresence(m, modalities.length))),
		// of positions the classes themselves: one-hot they would take as much memory as the logits; of a regression the one value that every quantile is compared with
		{
			...port(TARGET, [positions?.positions ?? (task.type === 'regression' ? 1 : outputs)], fillTarget(task, scale)),
			...(positions !== null && task.type === 'multiclass' ? { dtype: 'int64' as const } : {}),
		},
		...auxiliary.map((output) => ({
			...port(targetName(output.name), [output.positions], fillAuxiliaryTarget(output)),
			...(output.type === 'multiclass' ? { dtype: 'int64' as const } : {}),
		})),
		...(ownLoss === null || ownLoss.labels === 0 ? [] : [port(LABELS, [ownLoss.labels], fillLabels(task))]),
		port(SAMPLE_WEIGHT, [1], fillSampleWeight),
	];
}
