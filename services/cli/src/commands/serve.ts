import type { Command } from 'commander';
import { UsageError } from '../output.js';
import { untilSignal } from '../until-signal.js';

/** As ServeOptionsEnvironment has them, which takes longer to load than the help of the command takes. */
const DEFAULTS = { home: './.steelyard', host: '127.0.0.1', port: '8080' };

/** `steelyard serve`: starts the service and runs until it is told to end. */
export function serve(command: Command): void {
	command
		.option('--home <folder>', 'data folder (STEELYARD_HOME)', process.env['STEELYARD_HOME'] || DEFAULTS.home)
		.option('--host <address>', 'address to listen on (HOST)', process.env['HOST'] || DEFAULTS.host)
		.option('--port <number>', 'port to listen on, 0 for a free one (PORT)', process.env['PORT'] || DEFAULTS.port)
		.action(async ({ home, host, port }: { home: string; host: string; port: string }, command: Command) => {
			const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
			if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
				throw new UsageError(`the port must be a number from 0 to 65535, found "${port}"`);
			const { startService } = await import('../service.js');
			const service = startService({ home, host, port: Number(port), notify: (message) => process.stderr.write(`${message}\n`) });
			const forever = service.then(({ url }) => {
				process.stdout.write(json ? `${JSON.stringify({ url })}\n` : `Steelyard is listening on ${url} (open it in a browser)\n`);
				return new Promise<never>(() => {});
			});
			// The children end with this process's IPC channel, however it ends.
			await untilSignal(forever, async () => (await service).close());
		});
}
