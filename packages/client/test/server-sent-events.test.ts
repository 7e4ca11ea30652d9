import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ServerSentEvent, serverSentEvents } from '../src/server-sent-events.js';

async function parsed(...chunks: Uint8Array[]): Promise<ServerSentEvent[]> {
	const events: ServerSentEvent[] = [];
	for await (const event of serverSentEvents(
		(async function* () {
			yield* chunks;
		})(),
	))
		events.push(event);
	return events;
}
const bytes = (text: string) => new TextEncoder().encode(text);

describe('an event stream', () => {
	it('gives events with their id, name and data, and skips comments and unknown fields', async () => {
		const stream = 'retry: 10\n\n:\n\nid: 1-0\nevent: stage\ndata: {"a":1}\nother: x\n\ndata: two\ndata:  lines\n\n';
		expect(await parsed(bytes(stream))).toEqual([
			{ id: '1-0', event: 'stage', data: '{"a":1}' },
			{ id: '1-0', event: 'message', data: 'two\n lines' },
		]);
	});

	it('drops an event that was cut before its empty line', async () => {
		expect(await parsed(bytes('data: whole\n\nid: 2\ndata: ha'))).toEqual([{ id: null, event: 'message', data: 'whole' }]);
	});

	it('is the same however its bytes are cut into chunks, for each end of line', async () => {
		const event = fc.record({
			id: fc.stringMatching(/^[0-9]{1,4}$/),
			data: fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => JSON.stringify(text)),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.array(event, { maxLength: 5 }),
				fc.constantFrom('\n', '\r\n', '\r'),
				fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
				async (events, end, cuts) => {
					const whole = bytes(
						events.map(({ id, data }) => `id: ${id}${end}event: e${end}data: ${data}${end}${end}`).join('') + (end === '\r' ? ':' : ''),
					);
					const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
					const chunks = at.slice(1).map((to, i) => whole.subarray(at[i], to));
					expect(await parsed(...chunks)).toEqual(events.map(({ id, data }) => ({ id, event: 'e', data })));
				},
			),
			{ numRuns: 200 },
		);
	});
});
