import { describe, expect, it } from 'vitest';
import { logOutput } from '../src/log-output.js';

describe('the output of a log', () => {
	it('loses the lines for which there is no room, and tells how many once there is', () => {
		const written: string[] = [];
		let room = 8;
		const output = logOutput((text) => {
			if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
			const part = text.slice(0, room);
			room -= part.length;
			written.push(part);
			return part.length;
		});
		for (const line of ['first\n', 'second\n', 'third\n']) output.write(line);
		room = 1000;
		for (const line of ['fourth\n', 'fifth\n']) output.write(line);
		const lines = written.join('').split('\n');
		expect(JSON.parse(lines[2] ?? '')).toMatchObject({ level: 40, lost: 2 });
		expect(lines.toSpliced(2, 1)).toEqual(['first', 'se', 'fourth', 'fifth', '']);
	});
});
