// The service: from the post of a job to its first steps, memory, tiny jobs, and predictions by HTTP.
import { fileURLToPath } from 'node:url';
import { median, row } from '../figures.js';
import { answerOf } from '../processes.js';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

export async function service({ quick }) {
	const { idleMs, busyMs, workerPeakMiB, readyMiB, apiMiB } = await answerOf(here('first-step.js'));
	const { jobs, cores, seconds, processorSeconds } = await answerOf(here('tiny-jobs.js'), quick ? ['--quick'] : []);
	const jobsPerMinute = (60 * jobs) / (seconds * cores);
	const figures = {
		...{ idleMs: median(idleMs), busyMs: median(busyMs), workerPeakMiB, readyMiB, apiMiB },
		...{ jobsPerMinute, processorSecondsPerJob: processorSeconds / jobs },
	};
	row('POST to the first training steps told, service at rest', `${figures.idleMs.toFixed(0)} ms`);
	row('  right after another job', `${figures.busyMs.toFixed(0)} ms`);
	row(
		'worker, largest resident size; API, and a trainer that waits for a job, resident',
		`${[workerPeakMiB, apiMiB, readyMiB].map((size) => `${size.toFixed(0)} MiB`).join('; ')}`,
	);
	row(
		'jobs of one epoch in a minute, for each core; processor time of a job',
		`${jobsPerMinute.toFixed(0)}; ${(processorSeconds / jobs).toFixed(2)} s`,
	);
	return figures;
}

/** The value that 95 % of some are below. */
const most = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)];

export async function predictions({ quick }) {
	const { coldMs, oneMs, jsonMs, csvMs, rows } = await answerOf(here('predictions.js'), quick ? ['--quick'] : []);
	const perSecond = (milliseconds) => Math.round((rows / median(milliseconds)) * 1000);
	const figures = { coldMs, oneMs: median(oneMs), mostMs: most(oneMs), jsonRows: perSecond(jsonMs), csvRows: perSecond(csvMs) };
	row(
		'prediction of one row by HTTP, model warm',
		`${figures.oneMs.toFixed(1)} ms, 95 % under ${figures.mostMs.toFixed(1)} ms; ${coldMs.toFixed(0)} ms where the process begins`,
	);
	const told = [figures.jsonRows, figures.csvRows].map((count) => `${count.toLocaleString('en')} rows/s`);
	row(`  of ${rows.toLocaleString('en')} rows in a request`, `${told[0]} as JSON; ${told[1]} as csv`);
	return figures;
}
