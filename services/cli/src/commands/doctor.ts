import { resolve } from 'node:path';
import { readEnvironment } from '@steelyard/service-process';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { examine, type Finding } from '../doctor.js';
import { DoctorEnvironment } from '../environment.js';
import { EXIT, print } from '../output.js';

const SIGNS = { fine: '✓', notice: '!', fault: '✗' } as const;

const text = ({ name, state, found, fix }: Finding): string =>
	`${SIGNS[state]} ${name}: ${found}${fix === null ? '' : `\n  what to do: ${fix}`}`;

/** `steelyard doctor`: says what the service needs and lacks on this machine. */
export function doctor(command: Command): void {
	command
		.option('--home <folder>', 'data folder (STEELYARD_HOME)', process.env['STEELYARD_HOME'] || './.steelyard')
		.action(async ({ home }: { home: string }, command: Command) => {
			const { client, url, json } = connected(command);
			const version = command.parent?.version() ?? '';
			const { STEELYARD_DISK_RESERVE: reserve = null } = readEnvironment(DoctorEnvironment, process.env);
			const findings = await examine({ home: resolve(home), client, url, version, reserve, env: process.env });
			print(json, { findings }, findings.map(text).join('\n'));
			if (findings.some(({ state }) => state === 'fault')) process.exitCode = EXIT.failed;
		});
}
