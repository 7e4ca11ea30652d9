// The process that tries WebGPU: a broken driver crashes this process, and what its libraries write is read by who started it.
import { doubling } from './doubling.js';
import { wordsOf } from './errors.js';
import { createSession } from './session.js';
import { tensor } from './tensor.js';

async function attempt(): Promise<string | null> {
	try {
		const session = await createSession(doubling, { provider: 'webgpu', wholly: true });
		await session.run({ x: tensor('float32', [2, 2], [1, 2, 3, 4]) });
		await session.release();
		return null;
	} catch (error) {
		return wordsOf(error);
	}
}

/** What is wrong, as JSON; null where nothing is. */
process.stdout.write(JSON.stringify(await attempt()));
