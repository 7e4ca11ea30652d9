import { readFile } from 'node:fs/promises';
import { openPredictor, type Predictor } from '@steelyard/prediction';

/** The most models that are kept ready. */
const MOST = 32;

/** Models that are kept ready to be run, those that were used last. */
export type WarmModels = {
	/** Gives the model of a file, which never changes, and opens it where it is not ready. Beyond `bytes` of resident memory the models that were used longest ago are let go. */
	get(file: string, bytes: number): Promise<Predictor>;
};

/** Keeps models; none is ready yet. */
export function createWarmModels(): WarmModels {
	// A map keeps the order in which its entries were set.
	const ready = new Map<string, Predictor>();

	async function makeRoom(bytes: number): Promise<void> {
		while (ready.size > 1 && (ready.size > MOST || process.memoryUsage.rss() > bytes)) {
			const [file, model] = ready.entries().next().value as [string, Predictor];
			ready.delete(file);
			await model.release();
		}
	}

	return {
		async get(file, bytes) {
			const model = ready.get(file) ?? (await openPredictor(await readFile(file)));
			ready.delete(file);
			ready.set(file, model);
			await makeRoom(bytes);
			return model;
		},
	};
}
