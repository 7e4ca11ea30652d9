// Modality `routing`: who sent a message, how and along which way. Nothing here depends on the day or on the collector's hosts. The
// number of hops is left out with them: it says mostly whether the collector got the message through a list, as most of the ham.

import { isCollectorHost } from './collector.mjs';
import { decodeWords, field } from './message.mjs';

const FREE_MAIL =
	/(^|\.)(hotmail|yahoo|aol|msn|excite|netscape|eudoramail|mail|email|flashmail|caramail|lycos|juno|earthlink|btamail|usa|netzero|post|bigfoot|angelfire|iname)\.(com|net|net\.cn|co\.\w\w|\w\w)$/;
const MAILERS = [
	['mailer_outlook', /outlook|microsoft|internet mail service|mimeole/i],
	['mailer_mozilla', /mozilla|netscape/i],
	['mailer_unix', /mutt|pine|exmh|gnus|kmail|evolution|sylpheed|elm|nmh|vm \d|wanderlust|mew|apple mail|ximian|balsa/i],
];

const flag = (condition) => (condition ? 1 : 0);
const log1p = (value) => Math.log1p(Math.max(0, value));

/**
 * @param {import('./message.mjs').Message} message
 * @returns {Record<string, number>} finite numbers, counts and times as log(1+x), the same keys in the same order for every message
 */
export function routingFacts(message) {
	const hops = hopsBeforeCollector(message);
	const times = hops.map((hop) => hop.time).filter(Number.isFinite);
	const transit = times.length > 1 ? (times[0] - times[times.length - 1]) / 60_000 : 0;
	const origin = hops[hops.length - 1];

	const sent = parseDate(field(message, 'date'));
	const skew = sent && times.length > 0 ? (sent.time - times[times.length - 1]) / 60_000 : 0;
	const hour = sent ? (2 * Math.PI * sent.minuteOfDay) / 1440 : null;

	const from = address(field(message, 'from'));
	const replyTo = address(field(message, 'reply-to'));
	const kind = domainKind(from.domain);
	const messageId = /<?[^<>@\s]*@?([^<>\s]*)>?/.exec(field(message, 'message-id'))?.[1] ?? '';
	const ownId = messageId !== '' && !isCollectorHost(messageId);
	const mailer = field(message, 'x-mailer') || field(message, 'user-agent');
	const known = MAILERS.map(([name, pattern]) => [name, flag(pattern.test(mailer))]);

	return {
		transit_minutes: Math.min(10, log1p(transit)),
		hops_without_name: log1p(hops.filter((hop) => hop.unnamed).length),
		origin_named_by_address: flag(origin?.bare),
		date_before_origin_minutes: Math.min(10, log1p(-skew)),
		date_after_origin_minutes: Math.min(10, log1p(skew)),
		date_unreadable: flag(!sent),
		zone_hours: sent ? Math.max(-1, Math.min(1, sent.zoneMinutes / 720)) : 0,
		hour_sin: hour === null ? 0 : Math.sin(hour),
		hour_cos: hour === null ? 0 : Math.cos(hour),
		weekend: flag(sent?.weekday === 0 || sent?.weekday === 6),
		weekday: sent ? sent.weekday / 6 : 0.5,
		from_has_name: flag(from.name),
		from_name_is_address: flag(from.name.includes('@')),
		from_local_length: log1p(from.local.length),
		from_local_digits: from.local ? (from.local.match(/\d/g) ?? []).length / from.local.length : 0,
		from_domain_labels: log1p(from.domain.split('.').length),
		from_free_mail: flag(FREE_MAIL.test(from.domain)),
		from_com: flag(kind === 'com'),
		from_net: flag(kind === 'net'),
		from_org: flag(kind === 'org'),
		from_public: flag(kind === 'public'),
		from_country: flag(kind === 'country'),
		reply_to: flag(replyTo.domain),
		reply_to_differs: flag(replyTo.domain && `${replyTo.local}@${replyTo.domain}` !== `${from.local}@${from.domain}`),
		to_count: log1p(countAddresses(message, 'to')),
		to_undisclosed: flag(/undisclosed/i.test(field(message, 'to')) || countAddresses(message, 'to') === 0),
		cc_count: log1p(countAddresses(message, 'cc')),
		message_id_own: flag(ownId),
		message_id_matches_from: flag(ownId && organisation(messageId) === organisation(from.domain)),
		mailer_named: flag(mailer),
		...Object.fromEntries(known),
		priority_set: flag(message.fields.has('x-priority') || message.fields.has('importance')),
		mime_version: flag(message.fields.has('mime-version')),
	};
}

function hopsBeforeCollector(message) {
	const received = (message.fields.get('received') ?? []).map((value) => ({
		by: /\bby\s+([^\s;(]+)/i.exec(value)?.[1] ?? '',
		time: parseInstant(value.slice(value.lastIndexOf(';') + 1)),
		unnamed: /\bfrom\s+(unknown\b|\[?\d+\.\d+\.\d+\.\d+)|\(unknown\b|\(\[\d/i.test(value),
		bare: /\bfrom\s+\[?\d+\.\d+\.\d+\.\d+/i.test(value),
	}));
	return received.filter((hop) => !isCollectorHost(hop.by) && !/^(uid|imap|pop3)$/i.test(hop.by));
}

/** Milliseconds since 1970, NaN where unreadable. A time without a known zone is read as UTC: Date.parse would take the reader's own. */
function parseInstant(value) {
	const text = value.replace(/\([^)]*\)/g, '').trim();
	const zoned = /([+-]\d{4}|\b(UTC?|GMT|Z|[ECMP][SD]T))$/i.test(text);
	return Date.parse(zoned ? text : `${text.replace(/\s+(?![AP]M$)[A-Z]+$/i, '')} +0000`);
}

/** Local clock, zone and instant of a Date field; null where it cannot be read. */
function parseDate(value) {
	const time = parseInstant(value);
	if (!Number.isFinite(time)) return null;
	const zone = /\s([+-])(\d\d)(\d\d)\b/.exec(value);
	const zoneMinutes = zone ? (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0;
	const local = new Date(time + zoneMinutes * 60_000);
	return { time, zoneMinutes, minuteOfDay: local.getUTCHours() * 60 + local.getUTCMinutes(), weekday: local.getUTCDay() };
}

function address(value) {
	const match = /([^\s<>"'@(),;:]*)@([\w.-]+)/.exec(/<([^<>]*@[^<>]*)>/.exec(value)?.[1] ?? value);
	const name = decodeWords(value)
		.replace(/<[^>]*>/g, '')
		.replace(/["']/g, '')
		.trim();
	const plain = match ? `${match[1]}@${match[2]}` : '';
	return {
		local: match?.[1]?.toLowerCase() ?? '',
		domain: match?.[2]?.toLowerCase() ?? '',
		name: value.includes('<') ? name : name.replace(plain, '').replace(/[()]/g, '').trim(),
	};
}

function countAddresses(message, name) {
	const values = (message.fields.get(name) ?? []).filter((value) => !/undisclosed/i.test(value));
	return values.join(',').split('@').length - 1;
}

function organisation(host) {
	return host
		.toLowerCase()
		.replace(/[^\w.-]/g, '')
		.split('.')
		.slice(-2)
		.join('.');
}

function domainKind(domain) {
	if (isCollectorHost(domain)) return 'hidden';
	const top = domain.slice(domain.lastIndexOf('.') + 1);
	if (['com', 'net', 'org'].includes(top)) return top;
	if (['edu', 'gov', 'mil', 'int'].includes(top)) return 'public';
	return top.length === 2 ? 'country' : 'other';
}
