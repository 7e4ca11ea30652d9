import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT, report } from './output.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('steelyard')
	.description(
		'Train multimodal models on ONNX Runtime.\n\nExit codes: 0 done; 1 the job or the service failed; 2 wrong usage, or the input was refused.',
	)
	.version(version)
	.option('--url <address>', 'address of the service (variable STEELYARD_URL)', process.env['STEELYARD_URL'] || 'http://127.0.0.1:8080')
	.option('--json', 'print the result as one line of JSON')
	.configureHelp({ showGlobalOptions: true });

type Register = (program: Command) => void;

/** Commands by the group that `--help` shows them in. Each is loaded when it is named, so that listing jobs does not wait for the engine. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, () => Promise<Register>>>>> = {
	'The service:': {
		serve: async () => (await import('./commands/serve.js')).serve,
		demo: async () => (await import('./commands/demo.js')).demo,
		cuda: async () => (await import('./commands/cuda.js')).cuda,
	},
	'With a running service:': {
		datasets: async () => (await import('./commands/datasets.js')).datasets,
		models: async () => (await import('./commands/models.js')).models,
		jobs: async () => (await import('./commands/jobs.js')).jobs,
	},
	'Files alone, without a service:': {
		inspect: async () => (await import('./commands/inspect.js')).inspect,
		differentiate: async () => (await import('./commands/differentiate.js')).differentiate,
		operators: async () => (await import('./commands/operators.js')).operators,
		weigh: async () => (await import('./commands/weigh.js')).weigh,
	},
};
const all = Object.values(GROUPS).flatMap((commands) => Object.keys(commands));
const named = all.filter((name) => process.argv.includes(name));
for (const [heading, commands] of Object.entries(GROUPS)) {
	program.commandsGroup(heading);
	for (const [name, register] of Object.entries(commands)) if (named.length === 0 || named.includes(name)) (await register())(program);
}
program.commandsGroup('Help:').helpCommand('help [command]', 'show the help of a command');

/** Makes every command end with an exception, which is reported below, instead of leaving the process. */
const overriding = (command: Command): void => {
	command.exitOverride();
	for (const inner of command.commands) overriding(inner);
};
overriding(program);

// A reader that stops early, such as head, is not an error.
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
