import { readEnvironment } from '@steelyard/service-process';
import type { Command } from 'commander';
import { ServeOptionsEnvironment } from '../environment.js';
import { UsageError } from '../output.js';
import { startService } from '../service.js';
import { untilSignal } from '../until-signal.js';

/** `steelyard serve`: starts the service and runs until it is told to end. */
export function serve(command: Command): void {
	const defaults = readEnvironment(ServeOptionsEnvironment, {});
	command
		.option('--home <folder>', 'data folder (STEELYARD_HOME)', process.env['STEELYARD_HOME'] || defaults.STEELYARD_HOME)
		.option('--host <address>', 'address to listen on (HOST)', process.env['HOST'] || defaults.HOST)
		.option('--port <number>', 'port to listen on, 0 for a free one (PORT)', process.env['PORT'] || String(defaults.PORT))
		.action(async ({ home, host, port }: { home: string; host: string; port: string }, command: Command) => {
			const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
			if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
				throw new UsageError(`the port must be a number from 0 to 65535, found "${port}"`);
			const service = startService({ home, host, port: Number(port), notify: (message) => process.stderr.write(`${message}\n`) });
			const forever = service.then(({ url }) => {
				process.stdout.write(json ? `${JSON.stringify({ url })}\n` : `Steelyard is listening on ${url}\n`);
				return new Promise<never>(() => {});
			});
			// The children end with this process's IPC channel, however it ends.
			await untilSignal(forever, async () => (await service).close());
		});
}
