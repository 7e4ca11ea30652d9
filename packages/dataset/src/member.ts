/** One file of a source. */
export type Member = {
	readonly name: string;
	/** The size that the folder or the archive declares. */
	readonly bytes: number;
	/** The contents, in pieces of any size. Whoever ends the iteration early releases what it holds. */
	chunks(): AsyncGenerator<Uint8Array>;
};

/** The files of a folder or of an archive, by name. */
export type Source = { readonly members: ReadonlyMap<string, Member>; close(): void };
