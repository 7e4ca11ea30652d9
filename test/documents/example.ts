import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs the commands of shell blocks one after another as they are written, but for `http://127.0.0.1:8080`, which becomes `url`, and for ids such as `ds_…`,
 * which become the newest id of their kind that a command has printed. Rejects where a command fails.
 */
export async function runExample(
	blocks: readonly string[],
	{ url, folder, root }: { url: string; folder: string; root: string },
): Promise<void> {
	const ids = new Map<string, string>();
	for (const block of blocks) {
		const script = block
			.replaceAll('http://127.0.0.1:8080', url)
			.replace(/\b(ds|job|mdl)_…/g, (written, kind: string) => ids.get(kind) ?? written)
			.replaceAll('npx steelyard', `${process.execPath} ${root}/services/cli/bin/steelyard.js`)
			.replaceAll('services/cli/sample', `${root}/services/cli/sample`);
		const { stdout } = await promisify(execFile)('bash', ['-e', '-c', script], {
			cwd: folder,
			env: { ...process.env, STEELYARD_URL: url, STEELYARD_API_KEY: '' },
		});
		for (const [id, kind = ''] of stdout.matchAll(/\b(ds|job|mdl)_[0-9a-z]+/g)) ids.set(kind, id);
	}
}
