import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const models = fileURLToPath(new URL('fixtures/exports/', import.meta.url));
const inspector = fileURLToPath(new URL('fuzz/inspector.js', import.meta.url));

/** Mutants to inspect; STEELYARD_FUZZ=5000 is the long mode. */
const CASES = Number(process.env['STEELYARD_FUZZ'] ?? 150);
const FIRST_SEED = Number(process.env['STEELYARD_FUZZ_SEED'] ?? 1);
/** A case that takes longer, in milliseconds, hangs: the real models take a second. */
const LONGEST = 30_000;
/** Bytes that an inspector may have grown to: a leak of one session a case would be many times that in the long mode. */
const LARGEST = 1.5 * 2 ** 30;

type Told = { outcome: string; rss: number };

/** What came of a case: `accepted` or `refused`, or a stack, or how the process ended. */
async function inspect(child: ChildProcess, order: { path: string; seed: number }): Promise<Told> {
	const settled = new AbortController();
	const { signal } = settled;
	const late = setTimeout(() => child.kill('SIGKILL'), LONGEST);
	try {
		child.send(order);
		return await Promise.race([
			once(child, 'message', { signal }).then(([told]) => told as Told),
			once(child, 'exit', { signal }).then(([code, end]) => ({ outcome: `the process ended with ${end ?? code}`, rss: 0 })),
		]);
	} finally {
		clearTimeout(late);
		settled.abort();
	}
}

describe('mutants of real models', () => {
	it(
		`are accepted or refused with words, ${CASES} of them, without a crash, a hang or a leak`,
		async () => {
			const paths = readdirSync(models)
				.filter((name) => name.endsWith('.onnx'))
				.sort()
				.map((name) => join(models, name));
			const faults: Record<string, string> = {};
			let largest = 0;
			let refused = 0;
			let child = fork(inspector, [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
			for (let i = 0; i < CASES; i++) {
				const order = { path: paths[i % paths.length] as string, seed: FIRST_SEED + i };
				const { outcome, rss } = await inspect(child, order);
				largest = Math.max(largest, rss);
				if (outcome === 'refused') refused++;
				else if (outcome !== 'accepted') faults[`${order.path.slice(models.length)} ${order.seed}`] = outcome;
				if (child.exitCode !== null || child.signalCode !== null)
					child = fork(inspector, [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
			}
			const gone = once(child, 'exit');
			child.disconnect();
			await gone;
			expect(faults).toEqual({});
			expect(refused).toBeGreaterThan(CASES / 2); // most mutants are no models
			expect(refused).toBeLessThan(CASES);
			expect(largest).toBeLessThan(LARGEST);
		},
		60_000 + CASES * 5000,
	);
});
