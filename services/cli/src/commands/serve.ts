import type { Command } from 'commander';
import { UsageError } from '../output.js';
import { startService } from '../service.js';
import { untilSignal } from '../until-signal.js';

export function serve(program: Command): void {
	program
		.command('serve')
		.description(
			'start the service: API, worker and, unless REDIS_URL is set, its own Redis; logs go to the data folder, with LOG=stderr there',
		)
		.option('--home <folder>', 'data folder (STEELYARD_HOME)', process.env['STEELYARD_HOME'] || './.steelyard')
		.option('--host <address>', 'address to listen on (HOST)', process.env['HOST'] || '127.0.0.1')
		.option('--port <number>', 'port to listen on, 0 for a free one (PORT)', process.env['PORT'] || '8080')
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
