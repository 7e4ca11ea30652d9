// The process that reads rows of datasets, so that they are shown while an upload is read, and no array can end or block the API. It reads one request after another.
import { ProblemError } from '@steelyard/contracts';
import { readRows } from '@steelyard/dataset';
import type { FromRowReader, ToRowReader } from './protocol.js';

async function read({ folder, profile, query }: ToRowReader): Promise<FromRowReader> {
	try {
		return { type: 'rows', rows: await readRows(folder, profile, query) };
	} catch (error) {
		if (error instanceof ProblemError) return { type: 'refused', code: error.code, message: error.message, param: error.param };
		const { message, code, syscall } = error as NodeJS.ErrnoException;
		return { type: 'failed', message, code, syscall };
	}
}

process.on('disconnect', () => process.exit());
// A terminal's Ctrl-C reaches this process too, but it is the API that decides when this process ends.
process.on('SIGINT', () => {});
process.on('message', async (order: ToRowReader) => process.send?.(await read(order)));
if (!process.connected) process.exit();
