// The process that inspects one uploaded model. It loads the engine, so a model that crashes the engine ends this process and not the worker.
import { readFile, writeFile } from 'node:fs/promises';
import { isOutOfMemory } from '@steelyard/contracts';
import { endWithParent } from './end-with-parent.js';
import type { FromInspector, ToInspector } from './protocol.js';

/** The most characters of a report: more than any useful model needs, and little enough to keep and to answer with. */
const LONGEST_REPORT = 16 * 1024 ** 2;

const refused = (message: string, param: string | null = null): FromInspector => ({
	type: 'refused',
	error: { code: 'invalid_model', message, param },
});

async function inspect({ model, whole }: ToInspector): Promise<FromInspector> {
	try {
		const { inspectModel, isZip, readModelArchive } = await import('@steelyard/model-file');
		const unpacked = await isZip(model);
		const bytes = unpacked ? await readModelArchive(model) : await readFile(model);
		if (unpacked) await writeFile(whole, bytes);
		const report = await inspectModel(bytes);
		if (JSON.stringify(report).length > LONGEST_REPORT)
			return refused('The model has too many inputs, parameters and operators to be listed');
		return { type: 'report', report, unpacked };
	} catch (error) {
		const { name, message, syscall, where } = error as NodeJS.ErrnoException & { where?: string | null };
		// It ends this process, which is what tells the worker that its memory was not enough.
		if (name !== 'GraphError' && isOutOfMemory(message)) throw error;
		if (syscall !== undefined) return { type: 'failed', message };
		// GraphError and RuntimeError are about the model and say what is wrong with it. Any other is a fault of ours that this model has met.
		if (name === 'GraphError' || name === 'RuntimeError') return refused(message, where ?? null);
		process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
		return refused(`The model could not be inspected: ${error instanceof Error ? message : String(error)}`);
	}
}

// The engine may compute for ever, and then hears no message.
endWithParent();
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches this process too, but it is the worker that decides when this process ends.
process.on('SIGINT', () => {});
process.once('message', async (order: ToInspector) => {
	const end = await inspect(order);
	process.send?.(end, () => process.exit());
});
if (!process.connected) process.exit();
