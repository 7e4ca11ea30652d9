import { describe, expect, it } from 'vitest';
import { draftOf } from '../src/page/new-job/draft.ts';
import { form } from './job-schema.ts';

const begun = () => draftOf(form, { dataset: 'ds_1' });

describe('a job that is written in a form and as JSON', () => {
	it('shows in the JSON what differs from defaults, or all of it', () => {
		const draft = begun();
		draft.set({ dataset: 'ds_1', training: { epochs: 3, batch_size: 32 } });
		expect(JSON.parse(draft.text.value)).toEqual({ dataset: 'ds_1', training: { epochs: 3 } });
		draft.isWhole.value = true;
		expect(JSON.parse(draft.text.value)).toMatchObject({
			training: { epochs: 3, batch_size: 32 },
			model: { family: 'mlp-fusion', hidden: 128 },
		});
		expect(draft.spec.value).toEqual({ dataset: 'ds_1', training: { epochs: 3 } });
	});

	it('takes what is typed as JSON, and leaves the text as it is typed', () => {
		const draft = begun();
		const text = '{"dataset":"ds_2",\n\n"training": {"epochs": 40}}';
		draft.type(text);
		expect(draft.value.value).toEqual({ dataset: 'ds_2', training: { epochs: 40 } });
		expect(draft.text.value).toBe(text);
		draft.rewrite();
		expect(JSON.parse(draft.text.value)).toEqual({ dataset: 'ds_2' });
	});

	it('stays as it was while the JSON is broken, and says where it is', () => {
		const draft = begun();
		draft.type('{"dataset": "ds_2",\n}');
		expect(draft.fault.value).toBe('Line 2, column 1: expected a name in double quotes.');
		expect(draft.spec.value).toEqual({ dataset: 'ds_1' });
		draft.rewrite();
		expect(draft.fault.value).toBeNull();
		expect(JSON.parse(draft.text.value)).toEqual({ dataset: 'ds_1' });
	});

	it('is an object', () => {
		const draft = begun();
		draft.type('[1]');
		expect(draft.fault.value).toContain('an object');
		expect(draft.spec.value).toEqual({ dataset: 'ds_1' });
	});

	it('goes from broken JSON to what the form says, once that is changed', () => {
		const draft = begun();
		draft.type('{');
		draft.set({ dataset: 'ds_3' });
		expect(draft.fault.value).toBeNull();
		expect(JSON.parse(draft.text.value)).toEqual({ dataset: 'ds_3' });
	});
});
