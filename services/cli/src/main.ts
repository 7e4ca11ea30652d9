import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { EXIT, report } from './output.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('steelyard')
	.description(
		'Train multimodal models on ONNX Runtime.\n\nExit codes: 0 done; 1 the job or the service failed; 2 wrong usage, or the input was refused.',
	)
	.version(version)
	.option('--url <address>', 'address of the service (variable STEELYARD_URL)', process.env['STEELYARD_URL'] || 'http://127.0.0.1:8080')
	.addOption(
		new Option('--project <name>', 'project to work in; keys know their own, and others work in "default"').env('STEELYARD_PROJECT'),
	)
	.option('--json', 'print the result as one line of JSON')
	.configureHelp({ showGlobalOptions: true });

type Part = { readonly description: string; readonly load: () => Promise<(command: Command) => void> };

/** Commands by the group that `--help` shows them in. Each is loaded when it is named, so that neither help nor a list of jobs waits for the engine. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, Part>>>> = {
	'The service:': {
		serve: {
			description:
				'start the service: API, worker and, unless REDIS_URL is set, its own Redis; logs go to the data folder, with LOG=stderr there',
			load: async () => (await import('./commands/serve.js')).serve,
		},
		train: {
			description:
				'train on a table or an archive from beginning to end: upload, train, download the model; on the service at --url, or on one of its own',
			load: async () => (await import('./commands/train.js')).train,
		},
		demo: {
			description: 'train on a sample dataset of real mail with and without weighting, and compare the models',
			load: async () => (await import('./commands/demo.js')).demo,
		},
		doctor: {
			description: 'say what the service needs and lacks on this machine: data folder, disk, Redis, GPU, clock',
			load: async () => (await import('./commands/doctor.js')).doctor,
		},
		cuda: {
			description: 'install the CUDA provider of ONNX Runtime (Linux on x64); needs CUDA 13 and cuDNN 9',
			load: async () => (await import('./commands/cuda.js')).cuda,
		},
	},
	'With a running service:': {
		datasets: {
			description: 'upload, list, look into and remove datasets',
			load: async () => (await import('./commands/datasets.js')).datasets,
		},
		models: {
			description: 'upload, inspect and remove models of your own',
			load: async () => (await import('./commands/models.js')).models,
		},
		jobs: {
			description: 'create, watch and list training jobs, and download what they made',
			load: async () => (await import('./commands/jobs.js')).jobs,
		},
		sweeps: {
			description: 'try many jobs over a space of settings, and see which is best',
			load: async () => (await import('./commands/sweeps.js')).sweeps,
		},
		compare: {
			description: 'show side by side what differs between the specs of jobs, and what they came to',
			load: async () => (await import('./commands/compare.js')).compareJobs,
		},
		keys: { description: 'create, list and revoke keys of the API', load: async () => (await import('./commands/keys.js')).keys },
		webhook: {
			description: 'set, show and remove where notices of ended jobs go',
			load: async () => (await import('./commands/webhook.js')).webhook,
		},
		audit: {
			description: 'show who changed what, and who was refused for lack of rights',
			load: async () => (await import('./commands/audit.js')).audit,
		},
		usage: {
			description: 'show what lies in the data folder, and how much room its disk has',
			load: async () => (await import('./commands/usage.js')).usage,
		},
		retention: {
			description: 'remove ended jobs that the configured limits leave no room for, and what interrupted processes have left',
			load: async () => (await import('./commands/retention.js')).retention,
		},
	},
	'Files alone, without a service:': {
		predict: {
			description: 'predict the rows of a table with a model that was trained on one',
			load: async () => (await import('./commands/predict.js')).predict,
		},
		inspect: {
			description: 'show the inputs and outputs of an ONNX model, which initializers training would change, and what prevents training',
			load: async () => (await import('./commands/inspect.js')).inspect,
		},
		differentiate: {
			description: 'write a model that computes a loss and, as outputs grad/<name>, its gradients',
			load: async () => (await import('./commands/differentiate.js')).differentiate,
		},
		operators: {
			description: 'list every ONNX operator, and whether a model that has it can be trained',
			load: async () => (await import('./commands/operators.js')).operators,
		},
		weigh: {
			description: 'compute how much each modality of each instance counts, from the predictions of any models',
			load: async () => (await import('./commands/weigh.js')).weigh,
		},
	},
};
for (const [heading, commands] of Object.entries(GROUPS)) {
	program.commandsGroup(heading);
	for (const [name, { description, load }] of Object.entries(commands)) {
		const command = program.command(name).description(description);
		if (process.argv.includes(name)) (await load())(command);
	}
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
