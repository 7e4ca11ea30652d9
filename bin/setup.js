// Brings a fresh clone to the state that every other command needs: dependencies installed, TypeScript built.
// Plain Node and npm are all it uses; both steps are skipped when nothing changed. With --quiet it speaks only when it fails.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const quiet = process.argv.includes('--quiet');
const windows = process.platform === 'win32';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const stamp = join(root, 'node_modules', '.steelyard-setup');

class SetupError extends Error {}

/** The child that runs now; it leads a process group of its own, so that a signal reaches npx and all that npx started. */
let running = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
	process.on(signal, () => {
		process.exitCode = 128 + constants.signals[signal];
		if (running === null) process.exit();
		endGroup(running, signal);
		setTimeout(() => endGroup(running, 'SIGKILL'), 5000).unref();
	});
}

function endGroup(child, signal) {
	if (!child?.pid) return;
	try {
		if (windows) child.kill(signal);
		else process.kill(-child.pid, signal);
	} catch (error) {
		if (error.code !== 'ESRCH') throw error;
	}
}

function checkNode() {
	const wanted = /(\d+)\.(\d+)/.exec(manifest.engines.node);
	const found = /^v(\d+)\.(\d+)/.exec(process.version);
	const [needMajor, needMinor, major, minor] = [wanted[1], wanted[2], found[1], found[2]].map(Number);
	if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
	throw new SetupError(
		`Steelyard needs Node ${manifest.engines.node}; this is Node ${process.version} (${process.execPath}).\n` +
			`Install a newer Node (for example with "nvm install ${needMajor}") and run the command again.`,
	);
}

/** Folders of the workspace that have a package.json, the root first. */
function packageFolders() {
	const groups = ['packages', 'services', 'models'].map((name) => join(root, name)).filter((path) => existsSync(path));
	const folders = groups.flatMap((group) => readdirSync(group).map((name) => join(group, name)));
	return [root, ...folders, join(root, 'test')].filter((folder) => existsSync(join(folder, 'package.json')));
}

/** What the installed tree is a function of: the manifests, the lockfile and the machine's kind. */
function fingerprint(folders) {
	const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
	const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml'].map((name) => join(root, name));
	for (const file of [...files, ...folders.map((folder) => join(folder, 'package.json'))]) {
		const bytes = readFileSync(file);
		hash.update(`${file.slice(root.length)} ${bytes.length}\n`).update(bytes);
	}
	return hash.digest('hex');
}

function isInstalled(folders, print) {
	if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== print) return false;
	return folders.every((folder) => {
		const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
		return Object.keys(dependencies).length === 0 || existsSync(join(folder, 'node_modules'));
	});
}

/** Runs a command with its output held back; it is shown only when the command fails. */
function run(what, command, args, environment = {}) {
	return new Promise((resolve, reject) => {
		// npx is a script on Windows, which only a shell can start; none of the arguments needs quoting.
		const shell = windows && command === 'npx';
		const child = spawn(command, args, {
			cwd: root,
			env: { ...process.env, ...environment },
			stdio: ['ignore', 'pipe', 'pipe'],
			detached: !windows,
			shell,
		});
		running = child;
		const output = [];
		child.stdout.on('data', (chunk) => output.push(chunk));
		child.stderr.on('data', (chunk) => output.push(chunk));
		child.on('error', (error) => {
			running = null;
			const hint =
				error.code === 'ENOENT' ? ` "${command}" was not found on PATH: install npm, which comes with Node.` : ` ${error.message}`;
			reject(new SetupError(`${what} could not start.${hint}`));
		});
		child.on('close', (code, signal) => {
			running = null;
			if (process.exitCode) process.exit();
			const text = Buffer.concat(output).toString('utf8').trim();
			if (code === 0) resolve(text);
			else reject(Object.assign(new SetupError(`${what} failed (${signal ?? `exit code ${code}`}).`), { output: text }));
		});
	});
}

/** What to do about an installation that failed, by what pnpm or npx said. */
function remedy(output) {
	const cases = [
		[
			/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|META_FETCH_FAIL/,
			'The package registry could not be reached. Installing needs the network once: check the connection, the proxy settings and "npm config get registry".',
		],
		[
			/OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH/,
			`A package.json was changed without the lockfile. Run "npx ${manifest.packageManager} install" and commit pnpm-lock.yaml.`,
		],
		[/ENOSPC/, 'The disk is full.'],
		[/EACCES|EPERM|EROFS/, 'A file could not be written: check who owns this folder and the npm cache ("npm config get cache").'],
		[/INTEGRITY|TARBALL/, 'A package did not arrive whole. Run the command again.'],
	];
	return cases.find(([pattern]) => pattern.test(output))?.[1] ?? 'Run the command again; if it fails again, delete node_modules first.';
}

async function step(message, work) {
	const started = Date.now();
	if (!quiet) process.stdout.write(`${message} ...\n`);
	await work();
	if (!quiet) process.stdout.write(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

async function install() {
	const folders = packageFolders();
	const print = fingerprint(folders);
	if (isInstalled(folders, print)) return;
	await step(`Installing dependencies with ${manifest.packageManager}`, async () => {
		// The stamp goes first: an installation that was cut short is done again.
		rmSync(stamp, { force: true });
		try {
			await run(
				'Installing the dependencies',
				'npx',
				['-y', manifest.packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'],
				{
					// CI keeps pnpm from asking whether it may replace a node_modules folder that another tool made.
					CI: 'true',
					// This Node was checked above. js-redis-server asks for a newer one than it needs, which a strict npm configuration would not forgive.
					npm_config_engine_strict: 'false',
					npm_config_update_notifier: 'false',
					npm_config_fund: 'false',
					npm_config_audit: 'false',
					npm_config_prefer_offline: 'true',
					npm_config_loglevel: 'error',
				},
			);
		} catch (error) {
			if (error instanceof SetupError && error.output !== undefined) error.message += `\n${remedy(error.output)}`;
			throw error;
		}
		mkdirSync(dirname(stamp), { recursive: true });
		writeFileSync(stamp, print);
	});
}

async function build() {
	const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
	if (!existsSync(compiler)) throw new SetupError('The TypeScript compiler is missing. Delete node_modules and run the command again.');
	// tsc -b looks at its own records and does nothing when no source changed; a first build is worth a line, a check is not.
	const first = packageFolders().some((folder) => existsSync(join(folder, 'src')) && !existsSync(join(folder, 'dist')));
	const compile = async () => {
		await run('Building', process.execPath, [compiler, '-b', '--pretty', 'false']);
		await run('Bundling the services', process.execPath, [join(root, 'bin', 'bundle.js')]);
		await run('Building the page', process.execPath, [join(root, 'services', 'dashboard', 'build.js')]);
	};
	await (first ? step('Building', compile) : compile());
}

try {
	checkNode();
	await install();
	await build();
} catch (error) {
	if (!(error instanceof SetupError)) throw error;
	if (error.output) process.stderr.write(`${error.output}\n\n`);
	process.stderr.write(`setup: ${error.message}\n`);
	process.exitCode = 1;
}
