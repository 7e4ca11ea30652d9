import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ServiceStore } from '@steelyard/store';

/** The folders directly in the root of this machine. A name such as `/encoder/MatMul`, as graphs have them, begins with none of them. */
const inRoot = new Set(readdirSync('/'));

/** The folder of the installation, and that of the user: they may have spaces in their names. */
const known = [fileURLToPath(new URL('../../../', import.meta.url)), `${homedir()}/`].filter((folder) => folder.length > 2);

const PATH = /(?<![\w./-])(?:file:\/\/)?\/[^\s'"`()<>,;:]+/g;

/**
 * A text without the paths of this machine, which users are not shown: of one below the folders `own`, the installation or the folder of the user the part below it is
 * left, of any other its last name.
 */
export function withoutPaths(text: string, own: readonly string[] = []): string {
	const short = [...own.map((folder) => `${folder}/`), ...known].reduce(
		(left, folder) => left.replaceAll(pathToFileURL(folder).href, '…/').replaceAll(folder, '…/'),
		text,
	);
	return short.replace(PATH, (path) => {
		const names = path.replace('file://', '').split('/').filter(Boolean);
		return inRoot.has(names[0] ?? '') ? `…/${names.at(-1)}` : path;
	});
}

/** A text without the paths of this machine, those of the data folder of a store among them, whose name may have spaces. */
export const withoutPathsOf = ({ files }: Pick<ServiceStore, 'files'>, text: string): string => withoutPaths(text, files.roots);
