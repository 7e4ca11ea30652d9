import { basename, join } from 'node:path';
import type { ModelReport, ModelVerdict } from '@steelyard/contracts';
import { howItEnded, memoryText } from '@steelyard/service-process';
import { modelKeys, type ServiceStore } from '@steelyard/store';
import type { Logger } from 'pino';
import { type InspectionLimits, type InspectorEnd, runInspector } from './inspect-process.js';
import { withoutPathsOf } from './without-paths.js';

const refused = (message: string, param: string | null = null, report: ModelReport | null = null): ModelVerdict => ({
	status: 'refused',
	report,
	error: { code: 'invalid_model', message, param },
});

/** The verdict that follows from how an inspection ended, without paths of the machine. Throws where that says nothing about the model. */
function verdictOf(store: InspectionParts['store'], end: InspectorEnd, { ms, bytes }: InspectionLimits): ModelVerdict {
	switch (end.type) {
		case 'report': {
			const { report } = end;
			const [first] = report.blockers;
			return first === undefined ? { status: 'ready', report, error: null } : refused(first.message, first.where, report);
		}
		case 'refused':
			return refused(withoutPathsOf(store, end.error.message), end.error.param);
		case 'failed':
			throw new Error(withoutPathsOf(store, end.message));
		case 'late':
			return refused(`The inspection of the model was ended after ${ms / 1000} s, which is the longest that it may take`);
		case 'too big':
			return refused(
				`The inspection of the model was ended when it had taken ${end.bytes === null ? 'all the memory' : memoryText(end.bytes)} of the ${memoryText(bytes)} of memory that it may take`,
			);
		case 'crashed': {
			const words = end.lastLines.length === 0 ? '' : ` Its last words: ${withoutPathsOf(store, end.lastLines.join('\n'))}`;
			return refused(`The process that inspected the model ${howItEnded(end)}.${words}`);
		}
	}
}

export type InspectionParts = { store: Pick<ServiceStore, 'files'>; entry: string; limits: InspectionLimits };

/**
 * Inspects one model in a process of its own, within its limits. Where an archive was uploaded, the store holds the model as one file in its place from then on:
 * whatever trains it reads that. Throws where the inspection failed for a reason that lies not in the model, and when the signal aborts.
 */
export async function inspect(
	{ store, entry, limits }: InspectionParts,
	id: string,
	signal: AbortSignal,
	log: Logger,
): Promise<ModelVerdict> {
	const { files } = store;
	const name = basename(modelKeys.graph(id));
	const inspectIn = (folder: string) =>
		runInspector({
			entry,
			model: join(folder, name),
			// Among the uploads, where what a killed worker has left is removed, and not among the system's temporary files, which may lie in memory.
			scratch: join(files.uploads, `inspection-${id}`),
			onUnpacked: (file) => files.replace(modelKeys.folder(id), name, file),
			limits,
			signal,
			onLine: (line) => log.debug({ line }, 'the inspector wrote'),
		});
	const end = await files.withFolder(modelKeys.folder(id), inspectIn, {
		signal,
		stopped: () => signal.aborted,
		// A store that is away says nothing of the model.
		waiting: (reason) => log.warn({ reason }, reason === null ? 'the inspection goes on' : 'the inspection waits'),
	});
	if (end.type === 'crashed' || end.type === 'late' || end.type === 'too big') log.warn({ end }, 'an inspection did not end by itself');
	return verdictOf(store, end, limits);
}
