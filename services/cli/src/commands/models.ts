import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { downloadArtifact } from '../download.js';
import { print, UsageError } from '../output.js';

export function models(program: Command): void {
	program
		.command('models')
		.description('trained models')
		.command('download <job>')
		.description('download the ONNX model that a job trained')
		.requiredOption('-o, --output <file>', 'where to write it')
		.action(async (id: string, { output }: { output: string }, command: Command) => {
			const { client, json } = connected(command);
			if (!(await stat(dirname(output)).catch(() => null))?.isDirectory())
				throw new UsageError(`there is no folder ${dirname(output)} to write to`);
			const leaving = new AbortController();
			const leave = (): void => leaving.abort();
			process.once('SIGINT', leave);
			try {
				const artifact = await downloadArtifact(client, id, 'model.onnx', output, leaving.signal);
				print(json, artifact, `${output}  ${artifact.bytes} bytes  sha256 ${artifact.sha256}`);
			} catch (error) {
				if (!leaving.signal.aborted) throw error;
				process.exitCode = 130;
			} finally {
				process.off('SIGINT', leave);
			}
		});
}
