import type { Command } from 'commander';
import { connected } from '../connect.js';
import { downloadArtifact } from '../download.js';
import { print } from '../output.js';

export function models(program: Command): void {
	program
		.command('models')
		.description('trained models')
		.command('download <job>')
		.description('download the ONNX model that a job trained')
		.requiredOption('-o, --output <file>', 'where to write it')
		.action(async (id: string, { output }: { output: string }, command: Command) => {
			const { client, json } = connected(command);
			const artifact = await downloadArtifact(client, id, 'model.onnx', output);
			print(json, artifact, `${output}  ${artifact.bytes} bytes  sha256 ${artifact.sha256}`);
		});
}
