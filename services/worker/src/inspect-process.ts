import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundled, type ChildLimits, type OrderEnd, startBoundedChild } from '@steelyard/service-process';
import type { FromInspector, ToInspector } from './protocol.js';

/** The program, by a path that holds from `src` as well as from `dist` and from `bundle`. */
export const INSPECT_ENTRY = bundled(fileURLToPath(new URL('../dist/inspect-child.js', import.meta.url)));

/** What one inspection may take. */
export type InspectionLimits = ChildLimits;

export const LIMITS: InspectionLimits = { ms: 60_000, bytes: 4 * 1024 ** 3 };

/** How an inspection ended: with what the process reported, or in another way in which an order ends. */
export type InspectorEnd = FromInspector | Exclude<OrderEnd<never>, { type: 'answered' }>;

export type InspectorOptions = {
	/** Path of the module that speaks the inspector's side of the protocol. */
	entry: string;
	/** Path of the upload. */
	model: string;
	/** Called with the path of the model as one file where the upload is an archive that holds it. The file is removed once this has settled. */
	onUnpacked(file: string): Promise<void>;
	/** The folder for its temporary files, which is made for it and removed when it has ended. */
	scratch: string;
	limits: InspectionLimits;
	/** Ends the process when it is aborted. */
	signal: AbortSignal;
	/** Called with every line that it writes to stdout or stderr. */
	onLine(line: string): void;
};

/** Inspects a model in a process of its own, which has ended when this settles. Rejects where the process could not be started, or when the signal aborts. */
export async function runInspector(options: InspectorOptions): Promise<InspectorEnd> {
	const { scratch } = options;
	const whole = join(scratch, 'model.onnx');
	await rm(scratch, { recursive: true, force: true });
	await mkdir(scratch, { recursive: true });
	try {
		const end = await inspectInChild(options, whole);
		if (end.type === 'report' && end.unpacked) await options.onUnpacked(whole);
		return end;
	} finally {
		await rm(scratch, { recursive: true, force: true });
	}
}

async function inspectInChild({ entry, model, limits, scratch, signal, onLine }: InspectorOptions, whole: string): Promise<InspectorEnd> {
	signal.throwIfAborted();
	const child = startBoundedChild({ entry, limits, env: { TMPDIR: scratch }, onLine });
	const abort = () => void child.end();
	signal.addEventListener('abort', abort, { once: true });
	try {
		const end = await child.run<FromInspector>({ model, whole } satisfies ToInspector);
		signal.throwIfAborted();
		return end.type === 'answered' ? end.answer : end;
	} finally {
		signal.removeEventListener('abort', abort);
		await child.end();
	}
}
