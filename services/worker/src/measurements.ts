import { readFileSync } from 'node:fs';
import { type Measured, type Tally, tallyCount, tallyValue } from '@steelyard/contracts';
import type { Measurement } from '@steelyard/trainer';

/** The least time between two reports, in milliseconds. A small model is measured thousands of times a second. */
const INTERVAL = 1000;

/** The most memory that this process has taken, in bytes. */
function peakMemory(): number {
	try {
		// What the system tells of resources can be more: it counts what the parent had when it forked.
		const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
		if (kilobytes !== undefined) return Number(kilobytes) * 1024;
	} catch {
		// Only Linux has this file.
	}
	return process.resourceUsage().maxRSS * 1024;
}

/** Collects what a trainer measures of itself. */
export type Measurements = {
	take(measurement: Measurement): void;
	/** Reports what was not reported yet. */
	flush(): void;
};

/** Reports about once a second what was measured since the last report, and at `flush`. */
export function openMeasurements(report: (latest: Measured, tally: Tally) => void, interval = INTERVAL): Measurements {
	let latest: Omit<Measured, 'peak_memory_bytes'> = {};
	let tally: Tally = {};
	let reportedAt = Number.NEGATIVE_INFINITY;
	function flush(): void {
		report({ ...latest, peak_memory_bytes: peakMemory() }, tally);
		tally = {};
		reportedAt = performance.now();
	}
	return {
		take(one) {
			if (one.of === 'steps') {
				latest = { ...latest, step_seconds: one.seconds / one.steps };
				tallyValue(tally, 'step_seconds', one.seconds / one.steps, one.steps);
				tallyCount(tally, 'rows', one.rows);
			} else if (one.of === 'refresh') {
				latest = { ...latest, refresh_seconds: one.seconds };
				tallyValue(tally, 'refresh_seconds', one.seconds);
			} else {
				latest = { ...latest, checkpoint_seconds: one.seconds, checkpoint_bytes: one.bytes };
				tallyValue(tally, 'checkpoint_seconds', one.seconds);
				tallyCount(tally, 'checkpoint_bytes', one.bytes);
			}
			if (performance.now() - reportedAt >= interval) flush();
		},
		flush,
	};
}
