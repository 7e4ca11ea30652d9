import { defineConfig } from 'vitest/config';

const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

/**
 * The tests of the services and of what starts processes, and those that put a module in the place of another. Each file has a process of its own; the files of all other
 * units share two, where each would take half a second to load the schemas and the engine again.
 */
const ISOLATED = ['services', 'packages/{queue,service-process,trainer}'].map((folder) => `${folder}/**/test/**/*.test.ts`);

export default defineConfig({
	test: {
		maxWorkers: 2,
		projects: [
			{
				test: {
					name: 'unit',
					include: ['{packages,models}/*/test/**/*.test.ts'],
					exclude: [...ISOLATED, '**/node_modules/**'],
					isolate: false,
					...timeouts,
				},
			},
			{ test: { name: 'unit-isolated', include: ISOLATED, exclude: ['**/node_modules/**'], ...timeouts } },
			{ test: { name: 'whole', include: ['test/**/*.test.ts'], fileParallelism: false, ...timeouts, testTimeout: 300_000 } },
		],
	},
});
