import { type DatasetResource, parseJobSpec } from '@steelyard/contracts';
import { expect, it } from 'vitest';
import { admit } from '../src/jobs/admission.js';

const dataset = {
	task: { type: 'binary', classes: ['no', 'yes'], outputs: 1 },
	modalities: { vitals: { shape: [8, 27], masked: false, missing: 0 } },
} as unknown as DatasetResource;
const admitted = (time_columns: Record<string, number>): void =>
	admit(parseJobSpec({ dataset: 'ds_1', model: { family: 'fuse-moe', time_columns } }), { dataset, model: null }, []);

it('a job of fuse-moe is refused at once where a time column is none of the dataset', () => {
	admitted({ vitals: 26 });
	expect(() => admitted({ vitals: 27 })).toThrow('model.time_columns.vitals must be a feature of vitals, 0 to 26, found 27');
	expect(() => admitted({ labs: 0 })).toThrow('names the modality labs, which the dataset lacks');
});
