import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../services/cli/bin/steelyard.js', import.meta.url));

export type Running = { url: string; pid: number; home: string; stop: (signal?: NodeJS.Signals) => Promise<number | null> };

/** `steelyard serve` as a person starts it, on a free port. */
export async function serve(home: string, env: NodeJS.ProcessEnv = {}): Promise<Running> {
	const child = spawn(process.execPath, [CLI, 'serve', '--home', home, '--port', '0'], {
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const said: string[] = [];
	createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
	const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
	const url = await new Promise<string>((resolve, reject) => {
		createInterface({ input: child.stdout }).once('line', (line) => resolve(/http:\S+/.exec(line)?.[0] ?? line));
		void gone.then((code) => reject(new Error(`serve ended with ${code}: ${said.join('\n')}`)));
	});
	return {
		url,
		home,
		pid: child.pid as number,
		stop: (signal = 'SIGINT') => {
			child.kill(signal);
			return gone;
		},
	};
}
