import { describe, expect, it } from 'vitest';
import { shownUpload } from '../src/upload-line.js';
import { Terminal } from './terminal.js';

/** What is read of a body, with what the terminal shows whenever a piece was read, and after the last one. */
async function sending(pieces: readonly number[], bytes: number | null, terminal: Terminal): Promise<string[]> {
	const body = ReadableStream.from(pieces.map((length) => new Uint8Array(length)));
	const shown: string[] = [];
	const received = await shownUpload({ body, bytes }, terminal as unknown as NodeJS.WriteStream, async (sent) => {
		let length = 0;
		for await (const piece of sent) {
			length += piece.length;
			shown.push(terminal.rows[0]?.text ?? '');
		}
		shown.push(terminal.rows[0]?.text ?? '');
		return length;
	});
	expect(received).toBe(pieces.reduce((sum, length) => sum + length, 0));
	return shown;
}

describe('an upload', () => {
	it('shows how much of a file was sent, then that it is read, and leaves nothing', async () => {
		const terminal = new Terminal(60);
		const shown = await sending([500_000, 1_000_000, 500_000], 2_000_000, terminal);
		expect(shown.some((text) => /^ {2}sent +\d+ % of 2\.0 MB$/.test(text))).toBe(true);
		expect(shown.at(-1)).toBe('  sent 2.0 MB, which the service now reads');
		expect(terminal.rows[0]?.text).toBe('');
	});

	it('shows how much of an archive was sent whose size nobody knows, also on a narrow terminal', async () => {
		const terminal = new Terminal(12);
		const shown = await sending([500_000, 1_000_000], null, terminal);
		expect(shown[0]).toMatch(/^ {2}sent/);
		expect(terminal.rows[0]?.text).toBe('');
	});

	it('shows nothing where the output is no terminal', async () => {
		const pipe = new Terminal(null);
		await sending([10, 20], 30, pipe);
		expect(pipe.written).toBe('');
	});

	it('leaves nothing where it is refused', async () => {
		const terminal = new Terminal(60);
		const refused = shownUpload(
			{ body: ReadableStream.from([new Uint8Array(5)]), bytes: 5 },
			terminal as unknown as NodeJS.WriteStream,
			async (body) => {
				for await (const _ of body);
				throw new Error('refused');
			},
		);
		await expect(refused).rejects.toThrow('refused');
		expect(terminal.rows[0]?.text).toBe('');
		expect(terminal.written).toContain('sent');
	});
});
