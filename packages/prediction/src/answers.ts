import type { Prediction, TaskProfile } from '@steelyard/contracts';
import { sizeOf, type Tensor } from '@steelyard/runtime';

/** What the outputs of a model that Steelyard exported mean. */
export type Meaning = { readonly task: TaskProfile; readonly modalities: readonly string[]; readonly quantiles: readonly number[] };

/** What a model says in its metadata of its outputs; null for a graph of the user's own. */
export function meaningIn(metadata: Readonly<Record<string, string>>): Meaning | null {
	const parsed = <T>(key: string): T => JSON.parse(metadata[key] ?? 'null') as T;
	const task = parsed<TaskProfile | null>('steelyard.task');
	if (task === null) return null;
	return { task, modalities: parsed('steelyard.modalities'), quantiles: parsed<number[] | null>('steelyard.quantiles') ?? [] };
}

/** Numbers of a tensor from `at` on as nested lists of a shape. */
function nested({ data }: Tensor, shape: readonly number[], at: number): unknown {
	const [size, ...inner] = shape;
	if (size === undefined) {
		const value = data[at] as number | bigint | string;
		return typeof value === 'bigint' ? Number(value) : value;
	}
	const width = sizeOf(inner);
	return Array.from({ length: size }, (_, i) => nested({ data } as Tensor, inner, at + i * width));
}

/** What a row of an output is, where the output has a row for each of so many. */
const rowOf = (output: Tensor, row: number): unknown => {
	const [, ...shape] = output.shape;
	return nested(output, shape, row * sizeOf(shape));
};

type Outputs = Readonly<Record<string, Tensor>>;

/** Each output of a graph of the user's own that has a row for each of `batch` rows. */
const ownAnswer = (outputs: Outputs, batch: number, row: number): Prediction => ({
	outputs: Object.fromEntries(
		Object.entries(outputs).flatMap(([name, output]) => (output.shape[0] === batch ? [[name, rowOf(output, row)]] : [])),
	),
});

/** Numbers of a row of an output by names, under a field of the answer; nothing where the model lacks the output. */
function named<Field extends string>(
	field: Field,
	outputs: Outputs,
	output: string,
	names: readonly string[],
	row: number,
): { [F in Field]?: Record<string, number> } {
	const found = outputs[output];
	if (found === undefined) return {};
	const numbers = rowOf(found, row) as number[];
	return { [field]: Object.fromEntries(numbers.map((number, i) => [names[i] ?? String(i), number])) } as {
		[F in Field]?: Record<string, number>;
	};
}

/** The class, the labels that apply, or the value that a row of `prediction` means. */
function predicted({ type, classes }: TaskProfile, found: unknown): NonNullable<Prediction['prediction']> {
	const nameOf = (index: number): string => classes[index] ?? String(index);
	if (type === 'regression') return found as number;
	return type === 'multilabel'
		? (found as number[]).flatMap((applies, label) => (applies === 1 ? [nameOf(label)] : []))
		: nameOf(found as number);
}

/** What the outputs of a run over `batch` rows say of the first `count` of them. */
export function answersOf(outputs: Outputs, { batch, count }: { batch: number; count: number }, meaning: Meaning | null): Prediction[] {
	const answerOf = (row: number): Prediction => {
		const { prediction } = outputs;
		if (meaning === null || prediction === undefined) return ownAnswer(outputs, batch, row);
		const { task, modalities, quantiles } = meaning;
		return {
			prediction: predicted(task, rowOf(prediction, row)),
			...named('probabilities', outputs, 'probabilities', task.classes, row),
			...named('quantiles', outputs, 'quantiles', quantiles.map(String), row),
			...named('weights', outputs, 'modality_weights', modalities, row),
			...named('divergence', outputs, 'modality_divergence', modalities, row),
		};
	};
	return Array.from({ length: count }, (_, row) => answerOf(row));
}
