/** What is wrong with an archive, or with one of its files: what was expected and what was found. */
export class ArchiveError extends Error {
	override readonly name = 'ArchiveError';
	/** The file that is to blame; `The archive` for the whole. */
	readonly file: string;
	readonly expected: string;
	readonly found: string;

	constructor(file: string, expected: string, found: string) {
		super(`${file}: expected ${expected}, found ${found}`);
		this.file = file;
		this.expected = expected;
		this.found = found;
	}
}
