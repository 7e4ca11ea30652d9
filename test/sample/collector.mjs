// What tells where and when this corpus was collected, and not what a message is. None of it may reach a feature: its ham and
// its spam were gathered in different months by different people, so each of these would give the label away.

const HOSTS = [
	'localhost',
	'localhost.localdomain',
	'jalapeno',
	'phobos',
	'mandark',
	'dogma',
	'jmason.org',
	'zzzzason.org',
	'slashnull.org',
	'netnoteinc.com',
	'taint.org',
	'example.com',
	'webnote.net',
	'pro-ns.net',
	'midrange.com',
	'lerctr.org',
	'efi.ie',
];

/** True for a host of the collector and of those who sent spam in; their hops come after delivery. */
export function isCollectorHost(host) {
	const name = host.toLowerCase().replace(/\.$/, '');
	return HOSTS.some((known) => name === known || name.endsWith(`.${known}`));
}

/** True for entries of news feeds, which the collector's own software turned into mail and of which all are ham. */
export function isNewsFeed(from) {
	return /\brssfeeds@/i.test(from);
}

/** The subject without the tag that a mailing list puts before it, such as `[ILUG]` or `CDR:`. */
export function withoutListTag(subject) {
	return subject
		.replace(/\[[^\]]{2,40}\]\s*/g, '')
		.replace(/\bCDR:\s*/g, '')
		.trim();
}

const LIST_NOTICE =
	/listinfo|mailing list|linux users' group|list maintainer|sf\.net (email|sponsor)|yahoo! groups|unsubscribe from this group/i;
const RULE = /^\s*(-- ?|_{20,}|-{40,}|-{10,} Yahoo! Groups Sponsor.*)\s*$/;

/** A body's text without the footers and sponsors' notices that mailing lists append, and without the addresses of lists. */
export function withoutListFooter(text) {
	const lines = text.split('\n');
	let end = lines.length;
	// A footer is the rule nearest to the end and at most 14 lines after it; there may be several, one below another.
	for (let at = end - 1; at >= 0 && end - at <= 14; at--) {
		const tail = lines.slice(at, end).join('\n');
		if (RULE.test(lines[at]) && LIST_NOTICE.test(tail)) end = at;
	}
	return lines
		.slice(0, end)
		.filter((line) => !/^\s*https?:\/\/\S*\/listinfo\/\S*\s*$/.test(line))
		.join('\n');
}

const NAMES =
	/spamassassin|taint|jmason|zzzz|yyyy|qqqq|netnote|slashnull|jalapeno|webnote|localhost|mailman|listinfo|sourceforge|yahoogroups|freshrpms|rpmlist|xent|ilug|exmh|forteana|zzzteana|cypherpunk|einstein|minder|lne|ssz|insuranceiq|midrange/;
const CALENDAR =
	/^(mon|tue|wed|thu|fri|sat|sun|(mon|tues|wednes|thurs|fri|satur|sun)day|jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december|gmt|ist|bst|edt|est|pdt|pst|cest)$/;

/** True for a word that names the collector, one of the lists read by it, or a date. */
export function isCollectorWord(word) {
	return NAMES.test(word) || CALENDAR.test(word);
}
