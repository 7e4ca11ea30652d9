import { type CallerResource, type KeyResource, type NewKey, SCOPES, type Scope } from '@steelyard/contracts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { connected } from '../connect.js';
import { listCommand } from '../listing.js';
import { print, table } from '../output.js';
import { timeText } from '../units.js';

/** Where a key is valid. */
const projectText = (project: string | null): string => project ?? 'every project';
const endText = (expires_at: number | null): string => (expires_at === null ? 'never' : timeText(expires_at));

const keyText = ({ id, name, scope, project, expires_at }: KeyResource): string =>
	table([
		['id', id],
		['name', name],
		['scope', scope],
		['project', projectText(project)],
		['expires', endText(expires_at)],
	]);

/** A new key, and what to do with its token. */
const newKeyText = (key: NewKey): string =>
	[
		keyText(key),
		'',
		`The token is shown this once. Whoever has it may do what the scope allows; keep it like a password.`,
		'',
		`  ${key.token}`,
		'',
		'The commands take it from STEELYARD_API_KEY; other clients send it as "Authorization: Bearer <token>".',
		`It ends with: steelyard keys revoke ${key.id}`,
	].join('\n');

const callerText = ({ key, name, scope, project, expires_at }: CallerResource): string =>
	table([
		['key', key === 'first' ? 'STEELYARD_API_KEY of the service' : (key ?? 'none is needed')],
		...(name === null ? [] : [['name', name]]),
		['scope', scope],
		['project', project],
		['expires', endText(expires_at)],
	]);

function days(text: string): number {
	const value = Number(text);
	if (text.trim() !== '' && value > 0 && value <= 36_500) return value;
	throw new InvalidArgumentError('Expected a number of days above 0, at most 36500.');
}

type CreateOptions = { name: string; scope: Scope; expires?: number };

async function create({ name, scope, expires }: CreateOptions, command: Command): Promise<void> {
	const { client, json, project } = connected(command);
	// A project that the environment names is one to work in. A key of the scope admin belongs to none.
	const given = command.getOptionValueSourceWithGlobals('project') === 'cli';
	const key = await client.keys.create({
		...{ name, scope },
		...(project === undefined || (scope === 'admin' && !given) ? {} : { project }),
		...(expires === undefined ? {} : { expires_in_days: expires }),
	});
	print(json, key, newKeyText(key));
}

export function keys(group: Command): void {
	group
		.command('create')
		.description('make a key for the project that --project names; prints its token, this once')
		.requiredOption('--name <text>', 'what it is for, or whose it is')
		.addOption(
			new Option('--scope <scope>', 'read: look; train: also upload, post and delete; admin: everything in every project')
				.choices(SCOPES)
				.default('train'),
		)
		.option('--expires <days>', 'after how many days it ends to be valid; never unless given', days)
		.action(create);
	listCommand<KeyResource>(group, {
		plural: 'keys',
		heading: ['id', 'name', 'scope', 'project', 'created', 'expires', 'last used'],
		optional: ['created', 'expires'],
		row: ({ id, name, scope, project, created_at, expires_at, last_used_at }) => [
			...[id, name, scope, projectText(project)],
			...[timeText(created_at), endText(expires_at), last_used_at === null ? 'never' : timeText(last_used_at)],
		],
		page: (client, query) => client.keys.list(query),
	});
	group
		.command('revoke <key>')
		.description('make a key invalid, by its id')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			await client.keys.revoke(id);
			print(json, { id, revoked: true }, `revoked ${id}: whoever has its token is let in no more`);
		});
	group
		.command('self')
		.description('show who you are to the service: the key in STEELYARD_API_KEY, its scope and project')
		.action(async (_options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const caller = await client.keys.self();
			print(json, caller, callerText(caller));
		});
}
