import { type NewWebhook, NOTIFIED_OF, projectOf, type WebhookRequest, type WebhookResource } from '@steelyard/contracts';
import { type Command, InvalidArgumentError } from 'commander';
import { connected } from '../connect.js';
import { print, table } from '../output.js';
import { timeText } from '../units.js';

type End = (typeof NOTIFIED_OF)[number];

const webhookText = (webhook: WebhookResource): string =>
	table([
		['project', projectOf(webhook)],
		['url', webhook.url ?? 'none: only jobs with a notify of their own are told of'],
		['on', webhook.on.join(', ')],
		['created', timeText(webhook.created_at)],
	]);

/** A new webhook, and what to do with its secret. */
const newWebhookText = (webhook: NewWebhook): string =>
	[
		webhookText(webhook),
		'',
		'The secret is shown this once, and takes the place of any that was there before. It signs all notices of the project; keep it like a password.',
		'',
		`  ${webhook.secret}`,
		'',
		'How a receiver checks the signature stands in docs/jobs.md under "Notice at the end".',
	].join('\n');

/** Reads ends of jobs with commas between them; Commander names the option where it throws. */
function ends(text: string): End[] {
	const named = [...new Set(text.split(',').map((one) => one.trim()))];
	if (named.every((one): one is End => NOTIFIED_OF.some((end) => end === one))) return named;
	throw new InvalidArgumentError(`Expected one or more of ${NOTIFIED_OF.join(', ')}, with commas between them.`);
}

async function set(url: string | undefined, { on }: { on?: End[] }, command: Command): Promise<void> {
	const { client, json } = connected(command);
	const request: WebhookRequest = { ...(url === undefined ? {} : { url }), ...(on === undefined ? {} : { on }) };
	const webhook = await client.webhook.set(request);
	print(json, webhook, newWebhookText(webhook));
}

export function webhook(group: Command): void {
	group
		.command('set [url]')
		.description(
			'set where notices of ended jobs go, with a new secret that signs them; without an address only jobs with a notify of their own are told of',
		)
		.option('--on <ends>', `which ends it tells of, such as succeeded,failed; all of ${NOTIFIED_OF.join(', ')} unless given`, ends)
		.action(set);
	group
		.command('show')
		.alias('get')
		.description('show the webhook of the project, without its secret')
		.action(async (_options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const found = await client.webhook.get();
			print(json, found, webhookText(found));
		});
	group
		.command('remove')
		.alias('delete')
		.description('send no notices of the project any more')
		.action(async (_options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const found = await client.webhook.get();
			await client.webhook.remove();
			print(json, found, `removed the webhook of the project ${projectOf(found)}: no notices are sent any more, and its secret has ended`);
		});
}
