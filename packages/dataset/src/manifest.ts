import { jsonFault, Manifest, ProblemError, parse } from '@steelyard/contracts';
import { MANIFEST_FILE } from './canonical-folder.js';
import type { Limits } from './limits.js';
import type { Source } from './member.js';
import { refusal } from './refusal.js';

/** More levels than any real manifest has, and far fewer than a recursive walk can stand. */
export const MOST_NESTING = 64;

async function readText(source: Source, limits: Limits): Promise<string | null> {
	const member = source.members.get(MANIFEST_FILE);
	if (member === undefined) return null;
	if (member.bytes > limits.manifest) throw refusal(MANIFEST_FILE, `at most ${limits.manifest} bytes`, `${member.bytes}`);
	const pieces: Uint8Array[] = [];
	for await (const chunk of member.chunks()) pieces.push(Uint8Array.from(chunk));
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
	} catch {
		throw refusal(MANIFEST_FILE, 'UTF-8 text', 'bytes that are not');
	}
}

/** The levels of nesting, counted without recursion. */
export function nestingOf(value: unknown): number {
	let level = 0;
	for (let values = [value]; values.length > 0; level++)
		values = values.flatMap((inner) => (typeof inner === 'object' && inner !== null ? Object.values(inner) : []));
	return level;
}

/** The manifest as it was uploaded, and with its defaults filled in; both null where there is none. */
export type ReadManifest = { readonly uploaded: unknown; readonly manifest: Manifest | null };

/** Reads and checks `manifest.json`. The `param` of a refusal is `manifest.<path of the field>`. */
export async function readManifest(source: Source, limits: Limits): Promise<ReadManifest> {
	const text = await readText(source, limits);
	if (text === null) return { uploaded: null, manifest: null };
	let uploaded: unknown;
	try {
		uploaded = JSON.parse(text);
	} catch (error) {
		throw refusal(MANIFEST_FILE, 'valid JSON', jsonFault(text) ?? (error as SyntaxError).message);
	}
	if (nestingOf(uploaded) > MOST_NESTING)
		throw refusal(MANIFEST_FILE, `nesting of at most ${MOST_NESTING} levels`, `${nestingOf(uploaded)}`);
	const field = (path: string, detail: string) => new ProblemError('invalid_dataset', `${MANIFEST_FILE}: ${detail}`, `manifest${path}`);
	let manifest: Manifest;
	try {
		manifest = parse(Manifest, uploaded, 'invalid_dataset');
	} catch (error) {
		if (!(error instanceof ProblemError)) throw error;
		throw field(error.param === null ? '' : `.${error.param}`, error.message);
	}
	const { type, classes, class_count: count, per, ignore_index: ignored } = manifest.task;
	if (count !== undefined && (type !== 'multiclass' || classes !== undefined))
		throw field('.task.class_count', `task.class_count: expected none ${classes === undefined ? `for ${type}` : 'beside task.classes'}`);
	if (per === 'position' && type === 'multilabel')
		throw field('.task.per', 'task.per: expected "row" for multilabel, found "position": only one label per position can be trained');
	if (ignored !== undefined && (per !== 'position' || type === 'regression'))
		throw field(
			'.task.ignore_index',
			`task.ignore_index: expected only beside "per": "position" and classes${type === 'regression' ? '; a value that does not count is NaN' : ''}`,
		);
	if (classes !== undefined) {
		if (type === 'regression') throw field('.task.classes', 'task.classes: expected none for regression');
		if (type === 'binary' && classes.length !== 2)
			throw field('.task.classes', `task.classes: expected 2 names for a binary task, found ${classes.length}`);
		const seen = new Set<string>();
		for (const name of classes) {
			if (seen.has(name)) throw field('.task.classes', `task.classes: expected different names, found ${JSON.stringify(name)} twice`);
			seen.add(name);
		}
	}
	return { uploaded, manifest };
}
