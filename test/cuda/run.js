// `npm run cuda`: installs the CUDA provider. With --check it is tried as well; README.md tells of the options.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { check, probed, written } from './check.js';
import { standIn } from './stand-in.js';

const COMMAND = fileURLToPath(new URL('../../services/cli/bin/steelyard.js', import.meta.url));
const say = (text) => process.stderr.write(`${text}\n`);

/** The exit code of `steelyard cuda`, which brings the provider in. */
const install = (args, stdout) =>
	new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [COMMAND, 'cuda', ...args], { stdio: ['ignore', stdout, 'inherit'] });
		child.once('error', reject).once('close', (code) => resolve(code ?? 1));
	});

/** Whether CUDA can be used, with the provider brought in where there is a GPU. */
async function readied() {
	const before = await probed();
	if (before.available || before.note === 'no GPU found') return before;
	await install([], 'ignore');
	return probed();
}

function tell(row) {
	if (row.title === undefined) {
		const host = row.cpu.length + row.copies.length;
		return say(
			`${row.name}: ${row.error ?? (host === 0 ? 'wholly on CUDA' : `${row.cpu.length} nodes on the CPU, ${row.copies.length} copies`)}`,
		);
	}
	if (row.failed !== undefined) return say(`${row.title}: ${row.failed}`);
	say(`${row.title}: ${row.ours.ms.toFixed(3)} ms a step, against the CPU ${row.peers.cpu.absent ?? row.peers.cpu.losses}`);
}

async function main() {
	const args = process.argv.slice(2);
	if (!args.includes('--check')) return install(args, 'inherit');
	const { values } = parseArgs({
		options: {
			check: { type: 'boolean' },
			json: { type: 'boolean', default: false },
			quick: { type: 'boolean', default: false },
			row: { type: 'string', multiple: true, default: [] },
			stubs: { type: 'boolean', default: false },
		},
	});
	const answer = (result, text) => process.stdout.write(`${values.json ? JSON.stringify(result) : text}\n`);
	const where = values.stubs ? await standIn({ bring: true }) : {};
	if (where.absent !== undefined) throw new Error(where.absent);
	const found = values.stubs ? await probed(where) : await readied();
	if (!found.available) {
		const nothing = found.note === 'no GPU found';
		answer({ checked: false, ...found }, `${found.note}: nothing was checked${nothing ? '' : ` (${found.detail})`}`);
		return nothing ? 0 : 1;
	}
	const report = await check({ rows: values.row, quick: values.quick, where, peers: !values.stubs, tell });
	const paths = await written(report, values.stubs ? 'cuda-stubs-report' : 'cuda-report');
	const verdict = report.wrong.length === 0 ? 'CUDA trains as the CPU does' : report.wrong.join('\n');
	answer({ checked: true, ...report }, `${verdict}\nthe report is in ${paths.join(' and ')}`);
	return report.wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main();
