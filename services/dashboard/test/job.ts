import type { JobRequest, JobResource } from '@steelyard/contracts';
import { parseJobSpec } from '@steelyard/contracts';

type About = {
	status?: JobResource['status'];
	metrics?: NonNullable<JobResource['result']>['metrics'];
	name?: string;
	metadata?: Record<string, string>;
	priority?: number;
	training?: NonNullable<JobRequest['training']>;
};

const DATASET = 'ds_01h0000000000000000000000x';

/** A job as lists show it, of which a test names what it looks at. Its dataset is `ds_x`. */
export function job(id: string, { status = 'queued', metrics, name, metadata = {}, priority, training = {} }: About = {}): JobResource {
	const spec = parseJobSpec({
		dataset: DATASET,
		weighting: { preset: 'uniform' },
		...{ metadata, training },
		...(name === undefined ? {} : { name }),
		...(priority === undefined ? {} : { priority }),
	});
	const result = metrics === undefined ? null : ({ metrics, modality_weights: {}, unimodal: {} } as unknown as JobResource['result']);
	return { id, status, result, spec: { ...spec, dataset: 'ds_x' }, artifacts: [], metrics: null, created_at: 0 } as unknown as JobResource;
}
