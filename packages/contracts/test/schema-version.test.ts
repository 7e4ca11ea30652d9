import { expect, it } from 'vitest';
import { knownRecord, NewerRecordError, nullWhereNewer, SCHEMA_VERSION } from '../src/index.js';

it.each([[{}], [{ schema_version: 1 }], [{ schema_version: SCHEMA_VERSION }]])('the record %j is known', (record) => {
	expect(knownRecord(record, 'ds_1')).toBe(record);
});

it.each([[SCHEMA_VERSION + 1], ['2'], [Number.NaN]])(
	'a record of the version %j is refused by its name, with what was expected',
	(version) => {
		const record = { schema_version: version };
		expect(() => knownRecord(record, 'ds_1')).toThrow(NewerRecordError);
		expect(() => knownRecord(record, 'ds_1')).toThrow(
			`ds_1 was written by a newer version of Steelyard: its schema_version is ${version}, and this process knows those up to ${SCHEMA_VERSION}`,
		);
	},
);

it('a list leaves such a record out, and no other error', () => {
	expect(nullWhereNewer(new NewerRecordError('ds_1', 2))).toBeNull();
	expect(() => nullWhereNewer(new TypeError('x'))).toThrow('x');
});
