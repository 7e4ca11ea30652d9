import { defineConfig } from 'vitest/config';

const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
	test: {
		maxWorkers: 2,
		projects: [
			{ test: { name: 'unit', include: ['{packages,services,models}/*/test/**/*.test.ts'], ...timeouts } },
			{ test: { name: 'whole', include: ['test/**/*.test.ts'], fileParallelism: false, ...timeouts, testTimeout: 300_000 } },
		],
	},
});
