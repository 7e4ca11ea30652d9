import type { ModelOutput } from '../../model.js';
import type { TaskType } from '../../task-type.js';

/**
 * Why a job cannot take the logits before the operator that an output ends in; null where it can. `columns` are the numbers that the output gives per row; null
 * where its shape leaves that open.
 */
export function activationProblem(
	{ name, activation }: Pick<ModelOutput, 'name' | 'activation'>,
	task: TaskType,
	columns: number | null,
): string | null {
	if (activation === undefined || task === 'regression') return null;
	const { operator, after } = activation;
	const open = task === 'binary' && columns === null;
	const wantsSoftmax = task === 'multiclass' || (task === 'binary' && columns === 2);
	if (!open && wantsSoftmax !== (operator !== 'Sigmoid')) {
		const numbers = task === 'binary' ? ` with ${columns === 2 ? 'two numbers' : 'one number'} per row` : '';
		return `The output "${name}" of the model ends in ${operator}, but a ${task} task${numbers} is trained on logits or their ${wantsSoftmax ? 'Softmax' : 'Sigmoid'}: export the model without ${operator}`;
	}
	if (after.length === 0) return null;
	return `The output "${name}" of the model has ${after.join(' and ')} behind its ${operator}, so the logits before that are not what it gives: export the model without ${after.join(' and ')}; a job needs no bounds, since its loss is taken from the logits`;
}
