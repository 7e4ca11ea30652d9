import type { Command } from 'commander';
import { connected } from './connect.js';
import { downloadArtifact, writeArtifact } from './download.js';
import { expectFolderOf, print, UsageError } from './output.js';

type DownloadOptions = { output?: string; artifact: string };

async function download(id: string, { output, artifact: name }: DownloadOptions, command: Command): Promise<void> {
	const { client, json } = connected(command);
	const file = output ?? `${id}-${name}`;
	const toStandardOutput = file === '-';
	if (toStandardOutput && json) throw new UsageError('--json and --output - both write to standard output; expected one of them');
	if (!toStandardOutput) await expectFolderOf(file);
	const leaving = new AbortController();
	const leave = (): void => leaving.abort();
	process.once('SIGINT', leave);
	try {
		if (toStandardOutput) await writeArtifact(client, id, name, process.stdout, leaving.signal);
		else {
			const artifact = await downloadArtifact(client, id, name, file, leaving.signal);
			print(json, artifact, `${file}  ${artifact.bytes} bytes  sha256 ${artifact.sha256}`);
		}
	} catch (error) {
		if (!leaving.signal.aborted) throw error;
		process.exitCode = 130;
	} finally {
		process.off('SIGINT', leave);
	}
}

/** Adds the command `download` to a group. */
export function addDownload(group: Command, description: string): void {
	group
		.command('download <job>')
		.description(description)
		.option('-o, --output <file>', 'where to write it, - for standard output (default: JOB-ARTIFACT in this folder)')
		.option('--artifact <name>', 'which artifact to download; "jobs show" lists them', 'model.onnx')
		.action(download);
}
