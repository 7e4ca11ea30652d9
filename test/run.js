// Runs every vitest project and closes with one line that people and machines can read: `N passed, M failed[, K skipped]`.
// Arguments go to vitest as they are: `npm test -- --project unit packages/onnx`.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';

/**
 * The counts of a vitest JSON report. A file that could not be loaded, or whose hook failed, has no failed test in it and counts as one failure.
 * The report does not know of errors outside any test; the exit code does.
 */
function count(report, exitCode) {
	let passed = 0;
	let failed = 0;
	let skipped = 0;
	for (const file of report?.testResults ?? []) {
		const failures = file.assertionResults.filter((test) => test.status === 'failed').length;
		passed += file.assertionResults.filter((test) => test.status === 'passed').length;
		skipped += file.assertionResults.filter((test) => test.status !== 'passed' && test.status !== 'failed').length;
		failed += failures === 0 && file.status === 'failed' ? 1 : failures;
	}
	if (failed === 0 && exitCode !== 0) failed = 1;
	return { passed, failed, skipped };
}

function signalGroup(pid, signal) {
	try {
		process.kill(windows ? pid : -pid, signal);
		return true;
	} catch (error) {
		if (error.code === 'ESRCH') return false;
		throw error;
	}
}

/** Every process that descends from this run carries this in its environment, also one that left the process group. */
const MARK = 'STEELYARD_TEST_RUN';
const mark = randomUUID();

/** Processes of this run that still live. Only Linux shows the environment of processes; elsewhere the process group has to do. */
function remaining(pid) {
	if (process.platform !== 'linux') return !windows && signalGroup(pid, 0) ? [-pid] : [];
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`${MARK}=${mark}\0`))
		.map(Number);
}

function environmentOf(pid) {
	try {
		return readFileSync(`/proc/${pid}/environ`, 'latin1');
	} catch {
		// It ended meanwhile, or belongs to another user.
		return '';
	}
}

/** Ends what the tests left, after some time in which it may end by itself. Returns whether anything had to be ended. */
async function endLeftovers(pid, graceMilliseconds) {
	const deadline = Date.now() + graceMilliseconds;
	while (Date.now() < deadline) {
		if (remaining(pid).length === 0) return false;
		await delay(50);
	}
	const left = remaining(pid);
	for (const leftover of left) {
		try {
			process.kill(leftover, 'SIGKILL');
		} catch (error) {
			if (error.code !== 'ESRCH') throw error;
		}
	}
	return left.length > 0;
}

const folder = mkdtempSync(join(tmpdir(), 'steelyard-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const reportFile = join(folder, 'report.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
	cwd: root,
	env: { ...process.env, [MARK]: mark },
	stdio: ['ignore', 'inherit', 'inherit'],
	// A group of its own: a signal to it reaches the workers of vitest too.
	detached: !windows,
});

let interrupted = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
	process.on(signal, () => {
		// The second time means now.
		signalGroup(child.pid, interrupted === null ? signal : 'SIGKILL');
		interrupted = signal;
		setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 10_000).unref();
	});
}

const exitCode = await new Promise((resolve, reject) => {
	child.on('error', reject);
	child.on('exit', (code) => resolve(code ?? 1));
});
if (interrupted !== null) {
	await endLeftovers(child.pid, 2000);
	process.stderr.write(`stopped by ${interrupted}\n`);
	process.exit(128 + constants.signals[interrupted]);
}

const left = await endLeftovers(child.pid, 5000);
const counts = count(existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')) : null, exitCode);
if (left) {
	counts.failed += 1;
	process.stdout.write('the tests left processes behind; they were ended, and this counts as one failure\n');
}
if (counts.passed + counts.failed === 0) process.stdout.write('no test ran\n');
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
