import type { ModelReport } from '@steelyard/contracts';
import { inspectModel } from '@steelyard/model-file';
import type { Command } from 'commander';
import { parseDims, readModel, refused } from '../model-file.js';
import { print, table } from '../output.js';
import { bytesText, countText } from '../units.js';

const shapeOf = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;
const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dim) => size * dim, 1);

/** How many initializers there are of each kind, and how many numbers they hold. */
function totalsOf(parameters: ModelReport['parameters']) {
	const totals = {
		parameter: { initializers: 0, numbers: 0 },
		buffer: { initializers: 0, numbers: 0 },
		statistic: { initializers: 0, numbers: 0 },
		constant: { initializers: 0, numbers: 0 },
	};
	for (const { kind = 'constant', shape } of parameters) {
		totals[kind].initializers++;
		totals[kind].numbers += sizeOf(shape);
	}
	return totals;
}

/** The report on a model, to read. */
function reportText(path: string, report: ModelReport, bytes: number): string {
	const { inputs, outputs, parameters, operators, blockers, opset } = report;
	const { parameter: trained, ...kept } = totalsOf(parameters);
	const others = Object.entries(kept).filter(([, { numbers }]) => numbers > 0);
	const total = `${countText(trained.numbers)} trainable numbers in ${trained.initializers} initializers`;
	const values = (title: string, all: ModelReport['inputs']): string =>
		table([[title, 'type', 'shape'], ...all.map(({ name, dtype, shape }) => [name, dtype, shapeOf(shape)])]);
	const counts = Object.entries(operators).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
	return [
		`${path}: ${bytesText(bytes)}, operator set ${opset}, ${total}`,
		...(others.length === 0
			? []
			: [
					`Not trained: ${others.map(([kind, { initializers, numbers }]) => `${kind} ${countText(numbers)} in ${initializers}`).join(', ')}`,
				]),
		values('input', inputs),
		values('output', outputs),
		...outputs.flatMap(({ name, activation }) =>
			activation === undefined
				? []
				: [
						`The output ${name} gives probabilities: the loss of a job is that of the logits before its ${activation.operator}, ${activation.logits}.`,
					],
		),
		table([
			['initializer', 'type', 'shape', 'trained', 'kind', 'why'],
			...parameters.map(({ name, dtype, shape, trainable, kind = '', reason }) => [
				name,
				dtype,
				shapeOf(shape),
				trainable ? 'yes' : 'no',
				kind,
				reason,
			]),
		]),
		table([['operator', 'count'], ...counts.map(([operator, count]) => [operator, String(count)])]),
		blockers.length === 0
			? 'Nothing prevents training it.'
			: table([['blocker', 'what'], ...blockers.map(({ code, message }) => [code, message])]),
	].join('\n\n');
}

export function inspect(command: Command): void {
	command
		.argument('<model>')
		.option('--dims <sizes>', 'sizes of symbolic dimensions with which it is tried, such as batch=8,time=20', parseDims)
		.action(async (path: string, { dims = {} }: { dims?: Record<string, number> }, command: Command) => {
			const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
			const bytes = await readModel(path);
			const report = await inspectModel(bytes, { dims }).catch(refused);
			print(json, { ...report, totals: totalsOf(report.parameters), bytes: bytes.length }, reportText(path, report, bytes.length));
		});
}
