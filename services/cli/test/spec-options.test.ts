import { describe, expect, it } from 'vitest';
import { setOption, withFields } from '../src/spec-options.js';

/** A job after these options, in their order. */
function set(job: object, ...texts: string[]): object {
	const { parseArg } = setOption();
	return withFields(job, texts.reduce((before: unknown, text) => parseArg?.(text, before as never), undefined) as never);
}

describe('--set', () => {
	it('sets fields by their paths, to JSON or text, and leaves the others', () => {
		const job = { dataset: 'ds_1', training: { epochs: 5, optimizer: { name: 'sgd' } } };
		expect(
			set(job, 'training.optimizer.learning_rate=0.01', 'model.family=mmim-moe', 'modalities=["labs"]', 'training.early_stopping=null'),
		).toEqual({
			dataset: 'ds_1',
			training: { epochs: 5, optimizer: { name: 'sgd', learning_rate: 0.01 }, early_stopping: null },
			model: { family: 'mmim-moe' },
			modalities: ['labs'],
		});
		expect(job.training).toEqual({ epochs: 5, optimizer: { name: 'sgd' } });
	});

	it('takes the last of several, and text with an equals sign', () => {
		expect(set({}, 'name=a', 'name=x=y', 'training.loss=focal', 'training.loss.gamma=3')).toEqual({
			name: 'x=y',
			training: { loss: { gamma: 3 } },
		});
	});

	it.each(['epochs', '=5', 'training..epochs=5', 'training.=5', '__proto__.x=1'])('refuses %s', (text) => {
		expect(() => set({}, text)).toThrow(`--set ${text}: expected FIELD=VALUE`);
	});
});
