// Knows under which licences the production dependencies are that are installed here, and which of them are not free enough. Reads files alone.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** SPDX names of licences that ask no more than to name the authors and the licence, or not even that. */
const FREE = new Set([
	...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0'],
	...['ISC', 'MIT', 'MIT-0', 'Python-2.0', 'Unlicense', 'Zlib'],
]);

/** Whether an SPDX expression leaves a choice that is free: one side of an OR, and both of an AND. What is no such expression is not free. @param {string} licence @returns {boolean} */
export function isFree(licence) {
	const text = licence.trim().replace(/^\(([^()]*)\)$/, '$1');
	if (/[()]/.test(text)) return false;
	return text.split(' OR ').some((choice) => choice.split(' AND ').every((one) => FREE.has(one.trim())));
}

/** @typedef {{ name: string, version: string, licence: string }} Dependency */
/** @typedef {{ name: string, version: string, license?: string | { type?: string }, dependencies?: Record<string, string>, optionalDependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} Manifest */

/** @param {string} folder @returns {Manifest} */
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** Where a package finds another: in its own folder of packages or in one above, as Node.js looks for it. @param {string} from @param {string} name @returns {string | null} */
function folderOf(from, name) {
	for (let folder = from; ; folder = dirname(folder)) {
		const found = join(folder, 'node_modules', name);
		if (existsSync(join(found, 'package.json'))) return realpathSync(found);
		if (folder === dirname(folder)) return null;
	}
}

/** Folders of the packages that are the program; those of the tests and the tools are none of its own. @param {string} root */
const ownFolders = (root) =>
	['packages', 'services', 'models']
		.map((group) => join(root, group))
		.filter((group) => existsSync(group))
		.flatMap((group) => readdirSync(group).map((name) => join(group, name)))
		.filter((folder) => existsSync(join(folder, 'package.json')));

/**
 * Every package that the program needs when it runs, directly or not, once per version, by name. Throws Error for one that is not installed, unless it is
 * optional.
 *
 * @param {string} root
 * @returns {Dependency[]}
 */
export function productionDependencies(root = ROOT) {
	const own = ownFolders(root).map((folder) => realpathSync(folder));
	const seen = new Set(own);
	const open = [...own];
	/** @type {Dependency[]} */
	const found = [];
	for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
		const { name, version, license, dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifestOf(folder);
		if (!own.includes(folder))
			found.push({ name, version, licence: (typeof license === 'object' ? license.type : license) ?? 'none named' });
		for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
			const at = folderOf(folder, needed);
			if (at === null && needed in dependencies && !(needed in optionalDependencies))
				throw new Error(`${needed}, which ${name} needs, is not installed: npm run setup`);
			if (at === null || seen.has(at)) continue;
			seen.add(at);
			open.push(at);
		}
	}
	return found.sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}
