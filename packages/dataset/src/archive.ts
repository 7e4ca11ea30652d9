import { type ArchivedFile, ArchiveError, openZip } from '@steelyard/archive';
import type { Limits } from './limits.js';
import type { Member, Source } from './member.js';
import { refusal } from './refusal.js';

const isMember = (path: string): boolean => path.endsWith('.npy') || path === 'manifest.json' || path.endsWith('/manifest.json');

/** The path of the one folder at the top that holds the dataset, with its slash; empty where the files themselves lie at the top. */
function topFolder(paths: string[]): string {
	const members = paths.filter(isMember);
	if (members.some((path) => !path.includes('/'))) return '';
	const tops = [...new Set(members.map((path) => path.slice(0, path.indexOf('/') + 1)))];
	if (tops.length > 1)
		throw refusal(
			'The archive',
			'the files of one dataset at the top or in one folder',
			`${tops.length} folders: ${tops.slice(0, 3).join(', ')}`,
		);
	return tops[0] ?? '';
}

/** What is wrong with an archive as a refusal, which calls a file by its name as a member; any other error as it is. */
const refused = (error: unknown, name?: string): unknown =>
	error instanceof ArchiveError ? refusal(name ?? error.file, error.expected, error.found) : error;

async function* chunksOf(file: ArchivedFile, name: string): AsyncGenerator<Uint8Array> {
	try {
		yield* file.chunks();
	} catch (error) {
		throw refused(error, name);
	}
}

/** Opens a zip archive (an `.npz` file is one) whose members lie at the top or in one folder at the top. Throws ProblemError for an archive that is refused. */
export async function openArchive(path: string, limits: Limits): Promise<Source> {
	const { files, close } = await openZip(path, limits).catch((error: unknown) => {
		throw refused(error);
	});
	try {
		const top = topFolder([...files.keys()]);
		const members = new Map<string, Member>();
		for (const [full, file] of files) {
			const name = full.slice(top.length);
			if (!full.startsWith(top) || name.includes('/')) continue;
			members.set(name, { name, bytes: file.bytes, chunks: () => chunksOf(file, name) });
		}
		return { members, close };
	} catch (error) {
		close();
		throw error;
	}
}
