import { writeFile } from 'node:fs/promises';
import { differentiateModel } from '@steelyard/model-file';
import { type Command, Option } from 'commander';
import { parseDims, readModel, refused } from '../model-file.js';
import { expectFolderOf, print, UsageError } from '../output.js';

type Options = { loss: string; wrt?: string[]; dims?: Record<string, number>; parameters: 'initializers' | 'inputs'; out: string };

/** Size of a batch that cannot stay symbolic unless `--dims` gives another, as of a job's batches. */
const BATCH = 32;

async function run(path: string, { loss, wrt, dims = {}, parameters, out }: Options, command: Command): Promise<void> {
	const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
	const toStandardOutput = out === '-';
	if (toStandardOutput && json) throw new UsageError('--json and --out - both write to standard output; expected one of them');
	const bytes = await readModel(path);
	if (!toStandardOutput) await expectFolderOf(out);
	const made = await differentiateModel(bytes, { loss, dims, batch: BATCH, parameters, ...(wrt === undefined ? {} : { wrt }) }).catch(
		refused,
	);
	for (const [name, size] of Object.entries(made.dims))
		if (dims[name] === undefined)
			process.stderr.write(
				`The symbolic dimension "${name}" is ${size} in the new model, which depends on it; choose another size with --dims ${name}=8. What differs: ${made.reason}\n`,
			);
	if (toStandardOutput) {
		process.stdout.write(made.bytes);
		return;
	}
	await writeFile(out, made.bytes);
	const gradients = made.wrt.map((name) => `grad/${name}`);
	const text = [`${out}  ${made.bytes.length} bytes`, loss, ...gradients].join('\n  ');
	print(
		json,
		{ out, bytes: made.bytes.length, loss, gradients, parameters: made.parameters, dims: made.dims, symbolic: made.symbolic },
		text,
	);
}

export function differentiate(command: Command): void {
	command
		.argument('<model>')
		.requiredOption('--loss <name>', 'the loss: a scalar value of the model')
		.option(
			'--wrt <names>',
			'take gradients with respect to these initializers or inputs, separated by commas (default: the trainable initializers)',
			(text, before: string[] = []) => [...before, ...text.split(',').filter((name) => name !== '')],
		)
		.option(
			'--dims <sizes>',
			'sizes of symbolic dimensions, such as batch=8,time=20; others stay symbolic where one graph is right at every size',
			parseDims,
		)
		.addOption(
			new Option('--parameters <place>', 'what the trainable initializers are in the new model')
				.choices(['initializers', 'inputs'])
				.default('initializers'),
		)
		.requiredOption('-o, --out <file>', 'where to write the ONNX model (operator set 18), - for standard output')
		.action(run);
}
