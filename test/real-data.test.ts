import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJobSpec } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { train } from '@steelyard/trainer';
import { describe, expect, it } from 'vitest';

const DATA = fileURLToPath(new URL('../../shared/data', import.meta.url));

/** Least figures on the test split of a default job with btw; what published baselines reach is in each dataset's manifest. */
const expected: Record<string, Record<string, number>> = {
	p12_icu: { auroc: 0.82 },
	handwritten: { accuracy: 0.97 },
	rosmap: { auroc: 0.8 },
	mosi_std: { pearson: 0.4 },
};

// Not part of the project: clinical and annotated data with terms of their own.
describe.skipIf(!existsSync(DATA))('real data', () => {
	for (const [name, least] of Object.entries(expected))
		it(`${name} trains with btw to the figures that it should`, async () => {
			const folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
			try {
				const [dataset, output] = [join(folder, 'dataset'), join(folder, 'output')];
				await mkdir(dataset);
				await mkdir(output);
				await ingest(join(DATA, name), dataset);
				const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', weighting: { preset: 'btw' } });
				const outcome = await train({ spec, dataset, output, emit: () => {}, stopped: () => false });
				if (outcome.status !== 'done') throw new Error('stopped');
				for (const [metric, value] of Object.entries(least))
					expect(outcome.result.metrics['test']![metric], metric).toBeGreaterThanOrEqual(value);
			} finally {
				await rm(folder, { recursive: true });
			}
		});
});
