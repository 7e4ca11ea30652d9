import { openDataset } from '@steelyard/dataset';
import type { Provider } from '@steelyard/runtime';
import { readGraphFile } from '../custom/graph-file.js';
import { mendable } from '../custom/mendable.js';
import { type Device, deviceFor, fasterDevice } from './device.js';
import type { Ending } from './ending.js';
import type { TrainOptions } from './face.js';
import { trainFusion } from './fusion-stage.js';
import { type Job, openJob } from './job.js';
import { openJobState } from './job-state.js';
import { keepTrainingState } from './keep-training-state.js';
import { prepare } from './prepare.js';
import { Stopped } from './stop.js';
import { openTrainingState } from './training-state.js';
import { judgeUnimodal, trainUnimodal } from './unimodal-stage.js';

/**
 * Trains the models of a job that has one weighting, and gives what they came to to `use`; `stopped` where it was asked to stop, also meanwhile. Throws
 * ProblemError for what the user can mend, and what the packages below throw.
 */
export async function trainModels<T>(
	options: TrainOptions,
	use: (job: Job, ending: Ending) => Promise<T>,
): Promise<T | { status: 'stopped' }> {
	const { spec, model, output, emit } = options;
	const started = performance.now();
	emit({ type: 'stage', stage: 'preparing' });
	const device = await deviceFor(spec.device, options.devices);
	const tell = ({ provider, note }: Device) => emit({ type: 'device', provider, note });
	if (!device.isTried) tell(device);
	const dataset = openDataset(options.dataset);
	try {
		const prepared = prepare(spec, dataset, model === undefined ? null : await readGraphFile(model));
		const source = options.source === undefined ? null : await openTrainingState(options.source);
		const open = async (provider: Provider) => {
			const state = await openJobState(options, prepared, provider, source?.sha256 ?? null);
			return openJob(options, prepared, provider, { state, source });
		};
		const { job, note } = device.isTried
			? await fasterDevice(open, device.adapter)
			: { job: await open(device.provider), note: device.note };
		if (device.isTried) tell({ provider: job.provider, note });
		if (job.weighted && !(await trainUnimodal(job))) return { status: 'stopped' };
		const unimodal = job.weighted ? await judgeUnimodal(job) : null;
		const outcome = await trainFusion(job, unimodal, (end) => keepTrainingState(job, output, end));
		if (outcome.status === 'stopped') return { status: 'stopped' };
		return await use(job, { output, outcome, unimodal, deviceNote: note, started });
	} catch (error) {
		if (error instanceof Stopped) return { status: 'stopped' };
		throw spec.model.family === 'custom' ? mendable(error) : error;
	} finally {
		dataset.close();
	}
}
