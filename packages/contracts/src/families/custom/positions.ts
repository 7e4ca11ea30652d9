import type { TaskProfile } from '../../dataset.js';
import type { ProblemError } from '../../problems.js';
import { misfit } from './misfit.js';
import { type Dims, fits, isStatic, shown } from './shapes.js';

/** Where the logits of a position's classes lie in an output: along its last axis, `[batch, …positions, classes]`, or its first one behind the batch, `[batch, classes, …positions]`. */
export type ClassAxis = -1 | 1;

type PositionTask = Pick<TaskProfile, 'type' | 'outputs'> & { readonly positions: readonly number[] };

/** The shapes in which an output can hold what a task wants of each position. One logit or value needs no axis of its own. */
function shapesFor(
	{ positions, outputs }: PositionTask,
	asked: ClassAxis | undefined,
): { shape: readonly Dims[number][]; axis: ClassAxis }[] {
	const last = { shape: ['batch', ...positions, outputs], axis: -1 } as const;
	const first = { shape: ['batch', outputs, ...positions], axis: 1 } as const;
	const none = { shape: ['batch', ...positions], axis: -1 } as const;
	return outputs === 1 ? [none, last, first] : [last, first].filter(({ axis }) => asked === undefined || axis === asked);
}

/**
 * The class axis of the output `name`: the one that is asked for, else the one that its shape allows. A problem where the shape allows none, or where it is known
 * and allows both.
 */
export function classAxisOf(
	name: string,
	shape: readonly Dims[number][],
	task: PositionTask,
	asked: ClassAxis | undefined,
): ClassAxis | ProblemError {
	const shapes = shapesFor(task, asked);
	const [found, other] = shapes.filter((wanted) => fits(shape, wanted.shape));
	if (found === undefined)
		return misfit(
			`The output "${name}" of the model has the shape ${shown(shape)}, but labels of positions want ${shapes.map((wanted) => shown(wanted.shape)).join(' or ')}`,
			'model.output',
		);
	if (other !== undefined && task.outputs > 1 && isStatic(shape.slice(1)))
		return misfit(
			`The output "${name}" of the model has the shape ${shown(shape)}, in which the classes can lie along axis 1 as well as the last one: say by model.class_axis which it is, 1 or -1`,
			'model.class_axis',
		);
	return found.axis;
}
