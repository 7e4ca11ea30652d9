import { describe, expect, it } from 'vitest';
import { linkTo, match, placeIn } from '../src/page/address.js';

describe('an address', () => {
	it('says the place', () => {
		expect(placeIn('#/jobs?status=queued&status=running').path).toBe('/jobs');
		expect(placeIn('#/jobs?status=queued&status=running').query.getAll('status')).toEqual(['queued', 'running']);
		expect(placeIn('').path).toBe('/');
		expect(placeIn('#/?a=b').query.get('a')).toBe('b');
	});

	it('is written without fields that say nothing', () => {
		expect(linkTo('/jobs', { find: 'a b', sort: null, status: ['queued', 'failed'], empty: '' })).toBe(
			'#/jobs?find=a+b&status=queued&status=failed',
		);
	});

	it('has parameters in its path', () => {
		expect(match('/jobs/:id', '/jobs/job_1')).toEqual({ id: 'job_1' });
		expect(match('/jobs/:id', '/jobs/a%2Fb')).toEqual({ id: 'a/b' });
		expect(match('/jobs/:id', '/jobs/')).toBeNull();
		expect(match('/jobs/:id', '/jobs/%')).toBeNull();
		expect(match('/jobs', '/data')).toBeNull();
	});
});
