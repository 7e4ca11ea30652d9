import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT, report } from './output.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('steelyard')
	.description(
		'Train multimodal models on ONNX Runtime. Exit codes: 0 done, 1 the job or the service failed, 2 wrong usage or refused input.',
	)
	.version(version)
	.option('--url <address>', 'address of the service (STEELYARD_URL)', process.env['STEELYARD_URL'] || 'http://127.0.0.1:8080')
	.option('--json', 'print one JSON value');

/** What each command needs is loaded with it: the demo brings the engine, which nobody waits for to list jobs. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
	datasets: async () => (await import('./commands/datasets.js')).datasets,
	jobs: async () => (await import('./commands/jobs.js')).jobs,
	models: async () => (await import('./commands/models.js')).models,
	serve: async () => (await import('./commands/serve.js')).serve,
	demo: async () => (await import('./commands/demo.js')).demo,
	cuda: async () => (await import('./commands/cuda.js')).cuda,
	differentiate: async () => (await import('./commands/differentiate.js')).differentiate,
	inspect: async () => (await import('./commands/inspect.js')).inspect,
	operators: async () => (await import('./commands/operators.js')).operators,
	weigh: async () => (await import('./commands/weigh.js')).weigh,
};
const named = Object.keys(COMMANDS).filter((name) => process.argv.includes(name));
for (const name of named.length > 0 ? named : Object.keys(COMMANDS)) (await COMMANDS[name]?.())?.(program);

/** Every command ends by an exception that `run` hears, never by leaving the process. */
const overriding = (command: Command): void => {
	command.exitOverride();
	for (const inner of command.commands) overriding(inner);
};
overriding(program);

// A reader that has seen enough, such as head, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code !== 'EPIPE') throw error;
	process.exit();
});

try {
	await program.parseAsync();
} catch (error) {
	if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.refused;
	else process.exitCode = report(error);
}
