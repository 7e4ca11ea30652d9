import { Command, CommanderError } from 'commander';
import { cuda } from './commands/cuda.js';
import { datasets } from './commands/datasets.js';
import { demo } from './commands/demo.js';
import { jobs } from './commands/jobs.js';
import { models } from './commands/models.js';
import { serve } from './commands/serve.js';
import { EXIT, report } from './output.js';

const program = new Command('steelyard')
	.description('Train multimodal models on ONNX Runtime. Exit codes: 0 done, 1 the job or the service failed, 2 wrong usage or refused input.')
	.version('0.1.0')
	.option('--url <address>', 'address of the service (STEELYARD_URL)', process.env['STEELYARD_URL'] || 'http://127.0.0.1:8080')
	.option('--json', 'print one JSON value');
for (const add of [datasets, jobs, models, serve, demo, cuda]) add(program);

/** Every command ends by an exception that `run` hears, never by leaving the process. */
const overriding = (command: Command): void => {
	command.exitOverride();
	for (const inner of command.commands) overriding(inner);
};
overriding(program);

try {
	await program.parseAsync();
} catch (error) {
	if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.refused;
	else process.exitCode = report(error);
}
