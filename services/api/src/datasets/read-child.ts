// The process that reads uploaded datasets, so that no upload can end or block the API. It reads one after another.
import { isOutOfMemory, ProblemError } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import type { FromReader, ToReader } from './protocol.js';

async function answer({ target, ...upload }: ToReader): Promise<FromReader> {
	if (/\.npz$/i.test(upload.filename) && target !== null && upload.manifest === null && upload.label === null)
		return { type: 'read', ...(await ingest(upload.path, target, { name: upload.name })) };
	// What reads tables brings the engine with it, which takes its time to load.
	const { ingestUpload, previewUpload } = await import('@steelyard/features');
	if (target === null) return { type: 'previewed', preview: await previewUpload(upload) };
	return { type: 'read', ...(await ingestUpload(upload, target)) };
}

async function read(order: ToReader): Promise<FromReader> {
	try {
		return await answer(order);
	} catch (error) {
		if (error instanceof ProblemError) return { type: 'refused', code: error.code, message: error.message, param: error.param };
		const { message, code, syscall } = error as NodeJS.ErrnoException;
		// It ends this process, which is what tells the API that its memory was not enough.
		if (isOutOfMemory(message)) throw error;
		process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
		return { type: 'failed', message, code, syscall };
	}
}

process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches this process too, but it is the API that decides when this process ends.
process.on('SIGINT', () => {});
process.on('message', async (order: ToReader) => process.send?.(await read(order)));
if (!process.connected) process.exit();
