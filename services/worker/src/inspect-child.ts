// The process that inspects one uploaded model. It loads the engine, and what a stranger's model does to it is not done to the worker.
import { readFile } from 'node:fs/promises';
import { endWithParent } from './end-with-parent.js';
import type { FromInspector, ToInspector } from './protocol.js';

/** Characters of a report: more than any model of use has, and little enough to be kept and given out. */
const LONGEST_REPORT = 16 * 1024 ** 2;

const refused = (message: string, param: string | null = null): FromInspector => ({
	type: 'refused',
	error: { code: 'invalid_model', message, param },
});

async function inspect(file: string): Promise<FromInspector> {
	try {
		const bytes = await readFile(file);
		const { inspectModel } = await import('@steelyard/model-file');
		const report = await inspectModel(bytes);
		if (JSON.stringify(report).length > LONGEST_REPORT)
			return refused('The model has too many inputs, parameters and operators to be listed');
		return { type: 'report', report };
	} catch (error) {
		const { name, message, syscall, where } = error as NodeJS.ErrnoException & { where?: string | null };
		if (syscall !== undefined) return { type: 'failed', message };
		// Graph errors and the runtime's are about the model and say so; any other is a fault of ours that the model met.
		if (name === 'GraphError' || name === 'RuntimeError') return refused(message, where ?? null);
		process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
		return refused(`The model could not be inspected: ${error instanceof Error ? message : String(error)}`);
	}
}

// A model can keep the engine at work for ever.
endWithParent();
process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches the whole group, and the worker says what it means.
process.on('SIGINT', () => {});
process.once('message', async ({ model }: ToInspector) => {
	const end = await inspect(model);
	process.send?.(end, () => process.exit());
});
if (!process.connected) process.exit();
