import { FAULTS } from './schedule.js';

/** The table of played schedules: by fault how often it came and in how many schedules, how the jobs of these ended, and how many of these were broken. */
export function tableOf(/** @type {{ schedule: any, records: any[], wrong: string[] }[]} */ runs) {
	const rows = Object.keys(FAULTS).map((fault) => {
		const has = runs.filter(({ schedule }) => schedule.steps.some((/** @type {any} */ step) => step.fault === fault));
		const times = has.flatMap(({ schedule }) => schedule.steps).filter((step) => step.fault === fault).length;
		const ended = (/** @type {string} */ status) => has.flatMap(({ records }) => records).filter((job) => job.status === status).length;
		const broken = has.filter(({ wrong }) => wrong.length > 0).length;
		return [fault, times, has.length, ended('succeeded'), ended('cancelled'), ended('failed'), broken];
	});
	const lines = [['fault', 'times', 'schedules', 'succeeded', 'cancelled', 'failed', 'broken'], Array(7).fill('---'), ...rows];
	return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
