import { existsSync, readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Seconds after which a process notices that its clock was set. */
const NOTICED = 1;

/** The library of faketime (Debian's package), or null where it is not installed. */
function library() {
	const folder = '/usr/lib';
	const places = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, 'faketime/libfaketimeMT.so.1')) : [];
	return places.find((path) => existsSync(path)) ?? null;
}

/** Whether clocks can be set here. */
export const hasClock = library() !== null;

/** Makes a clock that the processes share which are started with its `env`. `file` is where it keeps how far it is off. */
export async function openClock(/** @type {string} */ file) {
	/** Sets it to so many seconds after (or before) the true time. */
	const set = async (/** @type {number} */ seconds) => {
		await writeFile(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}`);
		await rename(`${file}.new`, file);
	};
	await set(0);
	return {
		set,
		env: {
			LD_PRELOAD: library() ?? '',
			FAKETIME_TIMESTAMP_FILE: file,
			FAKETIME_CACHE_DURATION: String(NOTICED),
			// A clock that is set moves no timer.
			FAKETIME_DONT_FAKE_MONOTONIC: '1',
			DONT_FAKE_MONOTONIC: '1',
		},
	};
}
