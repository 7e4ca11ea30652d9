import { stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { differentiateModel } from '@steelyard/model-file';
import type { Command } from 'commander';
import { parseDims, readModel, refused } from '../model-file.js';
import { print, UsageError } from '../output.js';

type Options = { loss: string; wrt?: string[]; dims?: Record<string, number>; out: string };

export function differentiate(program: Command): void {
	program
		.command('differentiate <model>')
		.description('write a model that gives, beside a loss, its gradients as the outputs grad/<name>')
		.requiredOption('--loss <name>', 'the loss: a scalar value of the model')
		.option(
			'--wrt <names>',
			'initializers or inputs, with commas between (default: the trainable initializers)',
			(text, before: string[] = []) => [...before, ...text.split(',').filter((name) => name !== '')],
		)
		.option('--dims <sizes>', 'sizes of the symbolic dimensions, such as batch=8,time=20', parseDims)
		.requiredOption('-o, --out <file>', 'where to write the ONNX model (operator set 18)')
		.action(async (path: string, { loss, wrt, dims = {}, out }: Options, command: Command) => {
			const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
			const bytes = await readModel(path);
			if (!(await stat(dirname(out)).catch(() => null))?.isDirectory())
				throw new UsageError(`there is no folder ${dirname(out)} to write to`);
			const made = await differentiateModel(bytes, { loss, dims, ...(wrt === undefined ? {} : { wrt }) }).catch(refused);
			await writeFile(out, made.bytes);
			const gradients = made.wrt.map((name) => `grad/${name}`);
			const text = [`${out}  ${made.bytes.length} bytes`, loss, ...gradients].join('\n  ');
			print(json, { out, bytes: made.bytes.length, loss, gradients }, text);
		});
}
