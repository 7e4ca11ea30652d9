import { listed } from '../../listed.js';
import { ProblemError } from '../../problems.js';
import type { DatasetFields, ModelInterface } from '../family.js';
import { activationProblem } from './activation.js';
import type { CustomConfig } from './config.js';
import { misfit } from './misfit.js';
import { TRAINED } from './parameters.js';
import { classAxisOf } from './positions.js';
import { type Dims, fits, shown } from './shapes.js';

/** What a message calls the logits of a task; null where there is one per row. */
const COUNTED = { multiclass: 'classes', multilabel: 'labels', binary: null, regression: null };

/** The graph has the output that the config names, which gives float32 logits of the task, their probabilities, or its values. */
export function* outputProblems(
	{ output: name, class_axis: axis }: { readonly output: string } & Pick<CustomConfig, 'class_axis'>,
	outputs: ModelInterface['outputs'],
	{ positions, ...task }: DatasetFields['task'],
): Iterable<ProblemError> {
	const { type, outputs: width } = task;
	const output = outputs.find((value) => value.name === name);
	if (output === undefined) {
		yield misfit(`The model has no output "${name}"; its outputs are ${listed(outputs.map((value) => value.name))}`, 'model.output');
		return;
	}
	if (!TRAINED.includes(output.dtype))
		yield misfit(`The output "${name}" of the model is ${output.dtype}; expected ${TRAINED.join(', ')}`, 'model.output');
	if (positions !== undefined) {
		const found = classAxisOf(name, output.shape, { ...task, positions }, axis);
		const problem = found instanceof ProblemError ? null : activationProblem(output, type, width);
		if (found instanceof ProblemError) yield found;
		if (problem !== null) yield misfit(problem, 'model.output');
		return;
	}
	if (axis !== undefined) yield misfit('model.class_axis is for a dataset whose positions have labels', 'model.class_axis');
	const shapes: Dims[] = [['batch', width], ...(width === 1 ? [['batch']] : []), ...(type === 'binary' ? [['batch', 2]] : [])];
	if (shapes.some((wanted) => fits(output.shape, wanted))) {
		const columns = output.shape.length === 1 ? 1 : output.shape[1];
		const problem = activationProblem(output, type, typeof columns === 'number' ? columns : null);
		if (problem !== null) yield misfit(problem, 'model.output');
		return;
	}
	const counted = COUNTED[type];
	const wants = counted === null ? `a ${type} task wants` : `the ${width} ${counted} of the dataset want`;
	yield misfit(
		`The output "${name}" of the model has the shape ${shown(output.shape)}, but ${wants} ${shapes.map(shown).join(' or ')}`,
		'model.output',
	);
}
