// The rules of the workspace's layers, checked on the files of a tree: who may import whom, through which door, and what every package must have.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

const SCOPE = '@steelyard/';

/** The layers, lowest first. A package imports from lower layers only; those of one layer do not know each other. */
const LAYERS: readonly (readonly string[])[] = [
	['runtime', 'random', 'archive', 'table'],
	['onnx'],
	['family'],
	['layers'],
	['models/*', 'weighting', 'search', 'optim', 'autodiff', 'dataset', 'store', 'redis'],
	['features'],
	['prediction', 'trainer', 'model-file', 'client', 'queue'],
	['service-process', 'dashboard'],
	['api', 'worker', 'cli'],
];

/** Stands beside all layers: everyone may import it, it imports nobody. */
const BESIDE = 'contracts';

/** What needs ONNX Runtime. The process that the API starts in loads none of it, not even through another package. */
const ENGINE: ReadonlySet<string> = new Set([
	'runtime',
	'onnx',
	'family',
	'layers',
	'autodiff',
	'features',
	'optim',
	'weighting',
	'prediction',
	'trainer',
	'model-file',
]);

/** What reads files of strangers. */
const READERS: ReadonlySet<string> = new Set(['dataset', 'archive', 'table', 'features', 'prediction']);

/** The one door beside the face: the process entries of the services, which the supervisor in `cli` forks. */
const PROCESS_ENTRIES: ReadonlySet<string> = new Set(['api/main', 'worker/main']);

/** One broken rule. `where` is a path in the tree; `what` says the rule and what was found. */
export interface Violation {
	readonly rule:
		| 'layer'
		| 'cycle'
		| 'undeclared'
		| 'unused'
		| 'deep import'
		| 'outside'
		| 'face'
		| 'readme'
		| 'manifest'
		| 'reference'
		| 'engine'
		| 'strangers';
	readonly where: string;
	readonly what: string;
}

interface Import {
	readonly specifier: string;
	/** Erased by the compiler: nothing is loaded at run time. */
	readonly typeOnly: boolean;
}

interface SourceFile {
	readonly path: string;
	readonly imports: readonly Import[];
	readonly hasDefaultExport: boolean;
}

interface Package {
	/** Name without scope. */
	readonly name: string;
	readonly folder: string;
	readonly group: 'packages' | 'services' | 'models';
	readonly manifest: Manifest;
	/** What it needs to run, and what of the workspace it takes types from alone. */
	readonly dependencies: ReadonlySet<string>;
	readonly files: readonly SourceFile[];
}

interface Manifest {
	readonly name?: string;
	readonly exports?: Record<string, unknown>;
	readonly dependencies?: Record<string, string>;
	readonly devDependencies?: Record<string, string>;
}

function readManifest(path: string): Manifest {
	return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

function sourcePaths(folder: string): string[] {
	if (!existsSync(folder)) return [];
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
	return entries.filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name)).map((entry) => join(entry.parentPath, entry.name));
}

function readSource(path: string): SourceFile {
	const source = readFileSync(path, 'utf8');
	const { module, program, errors } = parseSync(path, source);
	if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
	const imports: Import[] = [];
	for (const statement of module.staticImports) {
		const typeOnly = statement.entries.length > 0 && statement.entries.every((entry) => entry.isType);
		imports.push({ specifier: statement.moduleRequest.value, typeOnly });
	}
	for (const entry of module.staticExports.flatMap((statement) => statement.entries)) {
		if (entry.moduleRequest) imports.push({ specifier: entry.moduleRequest.value, typeOnly: entry.isType });
	}
	new Visitor({
		ImportExpression(node) {
			if (node.source.type === 'Literal' && typeof node.source.value === 'string')
				imports.push({ specifier: node.source.value, typeOnly: false });
		},
		TSImportType(node) {
			imports.push({ specifier: node.source.value, typeOnly: true });
		},
		// A path asked of the resolver ends in a fork or an import: it binds as an import does, but loads nothing here.
		CallExpression(node) {
			const [argument] = node.arguments;
			const asksResolver =
				node.callee.type === 'MemberExpression' && node.callee.property.type === 'Identifier' && node.callee.property.name === 'resolve';
			if (!asksResolver || argument?.type !== 'Literal' || typeof argument.value !== 'string' || !argument.value.startsWith(SCOPE)) return;
			imports.push({ specifier: argument.value, typeOnly: true });
		},
	}).visit(program);
	const hasDefaultExport = module.staticExports.some((statement) => statement.entries.some((entry) => entry.exportName.kind === 'Default'));
	return { path, imports, hasDefaultExport };
}

/** What of the workspace a package takes types from alone: such a package may be one that it is developed with. */
function typesOf({ devDependencies = {} }: Manifest, files: readonly SourceFile[]): string[] {
	const imports = files.flatMap((file) => file.imports);
	const isTypes = (name: string) =>
		imports.some(({ specifier }) => specifier === name) && imports.every(({ specifier, typeOnly }) => specifier !== name || typeOnly);
	return Object.keys(devDependencies).filter((name) => name.startsWith(SCOPE) && isTypes(name));
}

function readPackages(root: string): Package[] {
	const packages: Package[] = [];
	for (const group of ['packages', 'services', 'models'] as const) {
		if (!existsSync(join(root, group))) continue;
		for (const name of readdirSync(join(root, group))) {
			const folder = join(root, group, name);
			if (!existsSync(join(folder, 'package.json'))) continue;
			const manifest = readManifest(join(folder, 'package.json'));
			const files = sourcePaths(join(folder, 'src')).map(readSource);
			packages.push({
				name,
				folder,
				group,
				manifest,
				dependencies: new Set([...Object.keys(manifest.dependencies ?? {}), ...typesOf(manifest, files)]),
				files,
			});
		}
	}
	return packages;
}

/** The package that a bare specifier names, and the subpath behind it (empty for its face). */
function splitSpecifier(specifier: string): { packageName: string; subpath: string } {
	const parts = specifier.split('/');
	const length = specifier.startsWith('@') ? 2 : 1;
	return { packageName: parts.slice(0, length).join('/'), subpath: parts.slice(length).join('/') };
}

function layerOf({ name, group }: Package): number {
	return LAYERS.findIndex((layer) => layer.includes(group === 'models' ? 'models/*' : name));
}

function isEngine({ name, group }: Package): boolean {
	return group === 'models' || ENGINE.has(name);
}

/** Whether `from` may depend on `to`, and why not. */
function objection(from: Package, to: Package): string | null {
	if (to.name === BESIDE) return null;
	if (from.name === BESIDE) return `${BESIDE} imports no other package`;
	if (layerOf(to) < layerOf(from)) return null;
	return layerOf(to) === layerOf(from)
		? `${from.name} and ${to.name} are of one layer and do not import each other`
		: `${to.name} lies above ${from.name}`;
}

/** The supervisor names the services as programs to start; it holds none of their code. */
function startsAsProcess(from: Package, to: Package): boolean {
	return from.name === 'cli' && PROCESS_ENTRIES.has(`${to.name}/main`);
}

function checkDependencies(packages: ReadonlyMap<string, Package>): Violation[] {
	const violations: Violation[] = [];
	for (const from of packages.values()) {
		if (from.name !== BESIDE && layerOf(from) === -1) {
			violations.push({ rule: 'layer', where: from.folder, what: `${from.name} has no layer: give it one in test/layers.ts` });
			continue;
		}
		for (const dependency of from.dependencies) {
			const to = packages.get(dependency);
			if (to === undefined) {
				if (dependency.startsWith(SCOPE))
					violations.push({ rule: 'undeclared', where: from.folder, what: `${dependency} is not in the workspace` });
				continue;
			}
			const reason = objection(from, to);
			if (reason !== null && !startsAsProcess(from, to))
				violations.push({ rule: 'layer', where: join(from.folder, 'package.json'), what: reason });
		}
	}
	return violations;
}

function checkImports(packages: ReadonlyMap<string, Package>): Violation[] {
	const violations: Violation[] = [];
	for (const from of packages.values()) {
		for (const file of from.files) {
			for (const { specifier } of file.imports) {
				const broken = (rule: Violation['rule'], what: string) => violations.push({ rule, where: file.path, what });
				if (specifier.startsWith('.')) {
					const target = resolve(dirname(file.path), specifier);
					if (!target.startsWith(join(from.folder, 'src') + sep)) broken('outside', `"${specifier}" leaves the sources of ${from.name}`);
					continue;
				}
				if (isBuiltin(specifier)) continue;
				const { packageName, subpath } = splitSpecifier(specifier);
				if (!from.dependencies.has(packageName))
					broken('undeclared', `"${specifier}": ${packageName} is not among the dependencies of ${from.name}`);
				const to = packages.get(packageName);
				if (to === undefined) continue;
				const asProcess = startsAsProcess(from, to) && subpath === 'main';
				if (subpath !== '' && !asProcess) broken('deep import', `"${specifier}": a package is used through its face`);
				const reason = objection(from, to);
				if (reason !== null && !asProcess) broken('layer', `"${specifier}": ${reason}`);
			}
		}
	}
	return violations;
}

function checkCycles(packages: ReadonlyMap<string, Package>): Violation[] {
	const violations: Violation[] = [];
	const finished = new Set<Package>();
	const walk = (at: Package, path: readonly Package[]): void => {
		const start = path.indexOf(at);
		if (start !== -1) {
			const names = [...path.slice(start), at].map((step) => step.name);
			violations.push({ rule: 'cycle', where: at.folder, what: names.join(' → ') });
			return;
		}
		if (finished.has(at)) return;
		for (const dependency of at.dependencies) {
			const next = packages.get(dependency);
			if (next !== undefined) walk(next, [...path, at]);
		}
		finished.add(at);
	};
	for (const start of packages.values()) walk(start, []);
	return violations;
}

/** Every package that `start` brings along, through any number of others. */
function closure(start: Package, packages: ReadonlyMap<string, Package>): Set<Package> {
	const reached = new Set<Package>();
	const waiting = [start];
	for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
		for (const dependency of at.dependencies) {
			const next = packages.get(dependency);
			if (next === undefined || reached.has(next)) continue;
			reached.add(next);
			waiting.push(next);
		}
	}
	return reached;
}

/** The parents stay small: the processes that API and worker start in load no engine (their forked children do), that of the API not even through another package. Nor does the API read what strangers send there. */
function checkEngine(packages: ReadonlyMap<string, Package>): Violation[] {
	const violations: Violation[] = [];
	const loadedBy = (name: string) => {
		const service = packages.get(`${SCOPE}${name}`);
		return service === undefined ? [] : loadedByParent(service, packages);
	};
	for (const { path, to } of loadedBy('worker'))
		if (isEngine(to)) violations.push({ rule: 'engine', where: path, what: `the worker's parent process loads ${to.name}` });
	for (const { path, to } of loadedBy('api')) {
		const [engine] = [to, ...closure(to, packages)].filter(isEngine);
		if (engine !== undefined)
			violations.push({ rule: 'engine', where: path, what: `the API's parent process loads ${engine.name}, by ${to.name}` });
		if (READERS.has(to.name)) violations.push({ rule: 'strangers', where: path, what: `the API's parent process loads ${to.name}` });
	}
	return violations;
}

/** The packages that a service loads in the process that it starts in, with the file that does. */
function loadedByParent(service: Package, packages: ReadonlyMap<string, Package>): { path: string; to: Package }[] {
	const loaded: { path: string; to: Package }[] = [];
	const byPath = new Map(service.files.map((file) => [file.path, file]));
	const seen = new Set<SourceFile>();
	const visit = (path: string): void => {
		const file = byPath.get(path);
		if (file === undefined || seen.has(file)) return;
		seen.add(file);
		for (const { specifier, typeOnly } of file.imports) {
			if (typeOnly) continue;
			if (specifier.startsWith('.')) visit(resolve(dirname(path), specifier.replace(/\.js$/, '.ts')));
			const to = packages.get(splitSpecifier(specifier).packageName);
			if (to !== undefined) loaded.push({ path, to });
		}
	};
	for (const entry of ['main.ts', 'index.ts']) visit(join(service.folder, 'src', entry));
	return loaded;
}

function checkShape({ name, folder, manifest, files }: Package): Violation[] {
	const violations: Violation[] = [];
	const broken = (rule: Violation['rule'], where: string, what: string) => violations.push({ rule, where: join(folder, where), what });
	if (manifest.name !== SCOPE + name) broken('manifest', 'package.json', `is named "${manifest.name}", expected "${SCOPE}${name}"`);
	const doors = Object.keys(manifest.exports ?? {}).filter((door) => manifest.exports?.[door] !== null);
	const allowed = new Set(['.', ...[...PROCESS_ENTRIES].filter((entry) => entry === `${name}/main`).map(() => './main')]);
	if (!doors.includes('.')) broken('face', 'package.json', 'exports no face (".")');
	for (const door of doors) if (!allowed.has(door)) broken('face', 'package.json', `opens the door "${door}" beside its face`);
	if (manifest.exports?.['./internal/*'] !== null) broken('face', 'package.json', 'does not close "./internal/*"');
	if (!existsSync(join(folder, 'README.md'))) broken('readme', 'README.md', 'is missing');
	if (!existsSync(join(folder, 'src', 'index.ts'))) broken('face', 'src/index.ts', 'is missing');
	for (const file of files) if (file.hasDefaultExport) violations.push({ rule: 'face', where: file.path, what: 'has a default export' });
	return violations;
}

/** TypeScript builds in the order of the project references, so they must name the same packages as the manifest. */
function checkReferences(root: string, from: Package, packages: ReadonlyMap<string, Package>): Violation[] {
	const where = join(from.folder, 'tsconfig.json');
	if (!existsSync(where)) return [{ rule: 'reference', where, what: 'is missing' }];
	const { references = [] } = JSON.parse(readFileSync(where, 'utf8')) as { references?: { path: string }[] };
	const referenced = new Set(references.map(({ path }) => relative(root, resolve(from.folder, path))));
	const expected = new Set([...from.dependencies].flatMap((name) => packages.get(name) ?? []).map((to) => relative(root, to.folder)));
	const violations: Violation[] = [];
	for (const path of expected)
		if (!referenced.has(path)) violations.push({ rule: 'reference', where, what: `lacks ${path}, which package.json depends on` });
	for (const path of referenced)
		if (!expected.has(path)) violations.push({ rule: 'reference', where, what: `names ${path}, which package.json does not depend on` });
	return violations;
}

/** A dependency that no source names is a promise that nobody keeps. Type packages have no import of their own. */
function checkUnused({ folder, dependencies, files }: Package): Violation[] {
	const used = new Set(files.flatMap((file) => file.imports.map(({ specifier }) => splitSpecifier(specifier).packageName)));
	return [...dependencies]
		.filter((dependency) => !used.has(dependency) && !dependency.startsWith('@types/'))
		.map((dependency) => ({ rule: 'unused', where: join(folder, 'package.json'), what: `${dependency} is declared and never imported` }));
}

/**
 * Checks the tree at `root` (folders `packages`, `services` and `models`) against every rule above.
 * @returns the broken rules, paths relative to `root`; empty when the tree is sound
 */
export function checkLayers(root: string): Violation[] {
	const list = readPackages(root);
	const packages = new Map(list.map((found) => [found.manifest.name ?? found.name, found]));
	const violations = [
		...checkDependencies(packages),
		...checkImports(packages),
		...checkCycles(packages),
		...checkEngine(packages),
		...list.flatMap(checkShape),
		...list.flatMap((found) => checkReferences(root, found, packages)),
		...list.flatMap(checkUnused),
	];
	return violations.map((violation) => ({ ...violation, where: relative(root, violation.where) }));
}
