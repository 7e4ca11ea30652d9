import { ProblemError, type TrainingConfig } from '@steelyard/contracts';
import type { Tensor } from '@steelyard/runtime';

/** Where training met a loss that is not finite. */
export type Divergence = {
	readonly loss: number;
	/** Counted from 0, over the whole training. */
	readonly step: number;
	readonly epoch: number;
	/** The trained parameters after the run of that step, in the order of the model. */
	readonly parameters: ReadonlyMap<string, Tensor>;
	readonly training: TrainingConfig;
};

const isFinite = ({ data }: Tensor): boolean => (data as Float32Array).every(Number.isFinite);

function parameterText(parameters: Divergence['parameters']): string {
	const broken = [...parameters].flatMap(([name, value]) => (isFinite(value) ? [] : [name]));
	if (broken.length === 0) return 'all parameters are finite still';
	return `${broken.length} of ${parameters.size} parameters are no longer finite, the first of them ${JSON.stringify(broken[0])}`;
}

/** What to try against numbers that grow. */
function remedy({ clip_norm: clipNorm, optimizer }: TrainingConfig): string {
	const rate = optimizer.learning_rate;
	const clip = clipNorm === null ? 'set training.clip_norm, such as 1' : `a smaller training.clip_norm than ${clipNorm}`;
	return `a smaller training.optimizer.learning_rate than ${rate}, such as ${Number((rate / 10).toPrecision(3))}, or ${clip}`;
}

/** The error of a training that has diverged: where, the first parameter that is not finite, and what to try. */
export const diverged = ({ loss, step, epoch, parameters, training }: Divergence): ProblemError =>
	new ProblemError(
		'diverged',
		`the training loss of step ${step} (epoch ${epoch}) is ${loss}, and ${parameterText(parameters)}; try ${remedy(training)}`,
		'training.optimizer.learning_rate',
	);

/** The error of a training in float16 of which steps cannot be made: by default after one of them at every scale of the loss, or where no step of an epoch has a finite loss. */
export const overflowed = (
	{ step, epoch, training }: Pick<Divergence, 'step' | 'epoch' | 'training'>,
	what = `the gradients of step ${step} (epoch ${epoch}) are not finite at any scale of the loss`,
): ProblemError =>
	new ProblemError(
		'diverged',
		`${what}: in float16 numbers end at 65504; set training.precision to bfloat16 or float32, or try ${remedy(training)}`,
		'training.precision',
	);
