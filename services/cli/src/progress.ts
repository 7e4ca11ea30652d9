import type { JobEvent } from '@steelyard/contracts';

const WIDTH = 24;
/** Least time between two plain lines of one stage, in milliseconds. */
const PLAIN_INTERVAL = 5000;

type Progress = Extract<JobEvent, { type: 'progress' }>;

const bar = (fraction: number): string => '█'.repeat(Math.round(fraction * WIDTH)).padEnd(WIDTH, '·');
// JSON has no NaN: a loss that is none arrives as null.
const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(4));
const seconds = (value: number | null): string =>
	value === null ? '' : `  eta ${value < 90 ? `${Math.ceil(value)} s` : `${Math.ceil(value / 60)} min`}`;

const lineOf = (event: Progress, fraction: number): string => {
	const name = event.stage === 'unimodal' ? `unimodal ${event.model}` : event.stage;
	const figures = `epoch ${String(event.epoch + 1).padStart(String(event.epochs).length)}/${event.epochs}  loss ${figure(event.loss)}  ${Math.round(event.rows_per_second)} rows/s`;
	return `  ${name.padEnd(20)} ${bar(fraction)} ${String(Math.round(fraction * 100)).padStart(3)} %  ${figures}${seconds(event.eta_seconds)}`;
};

/** Shows the events of a job: on a terminal one bar a model, written over in place; elsewhere plain lines, a few a minute. */
export function progressOn(stream: NodeJS.WriteStream): { show: (event: JobEvent) => void; end: () => void } {
	let last: Progress | null = null;
	let shownAt = 0;
	const write = (event: Progress, fraction: number): void => {
		const line = lineOf(event, fraction);
		if (stream.isTTY) stream.write(`\r${line.slice(0, (stream.columns || 120) - 1)}\u001b[K`);
		else stream.write(`${line}\n`);
		shownAt = performance.now();
	};
	/** Ends the line of a model: one that is done may have stopped early, one that was cut off stays where it was. */
	const finish = (done: boolean): void => {
		if (last === null) return;
		if (done) write(last, 1);
		if (stream.isTTY) stream.write('\n');
		last = null;
	};
	const say = (text: string, done = false): void => {
		finish(done);
		stream.write(`  ${text}\n`);
	};
	return {
		show(event) {
			if (event.type === 'progress') {
				if (last !== null && (last.model !== event.model || last.stage !== event.stage)) finish(true);
				if (stream.isTTY || last === null || performance.now() - shownAt > PLAIN_INTERVAL) write(event, event.step / event.steps);
				last = event;
			} else if (event.type === 'device') say(`training on ${event.provider}${event.note === null ? '' : ` (no CUDA: ${event.note})`}`);
			else if (event.type === 'stage' && (event.stage === 'evaluating' || event.stage === 'exporting')) say(event.stage, true);
			else if (event.type === 'status' && event.error !== null) say(`${event.status}: ${event.error.message} (${event.error.code})`);
			else if (event.type === 'status' && event.status === 'queued' && event.attempt > 0)
				say(`queued again after attempt ${event.attempt}`);
		},
		end: () => finish(false),
	};
}
