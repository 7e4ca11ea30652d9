// Modality `format`: how a message looks, whatever its words are.

const CHARSETS = { ascii: /^(|us-ascii|ascii)$/, latin: /^(iso-8859-1|iso-8859-15|windows-1252|utf-8)$/ };

const log1p = (value) => Math.log1p(value);
const flag = (condition) => (condition ? 1 : 0);
const count = (text, pattern) => (text.match(pattern) ?? []).length;
const share = (part, whole) => (whole > 0 ? part / whole : 0);

/**
 * @param {{ subject: string, text: string, html: string, parts: import('./message.mjs').Part[] }} mail `text` is what a reader sees,
 *   `html` the HTML source ('' where there is none); list footers and list tags are already gone from both text and subject
 * @returns {Record<string, number>} finite numbers: shares in 0..1, counts as log(1+x), the same keys in the same order for every mail
 */
export function formatFacts({ subject, text, html, parts }) {
	const source = html || text;
	const lines = text.split('\n');
	const filled = lines.filter((line) => line.trim() !== '');
	const characters = count(text, /\S/g);
	const letters = count(text, /[A-Za-z]/g);
	const words = text.match(/[A-Za-z]{3,}/g) ?? [];
	const subjectLetters = count(subject, /[A-Za-z]/g);
	const tags = html.match(/<\/?[a-z][^>]*>/gi) ?? [];
	const links = source.match(/\bhttps?:\/\/[^\s"'<>)]+/gi) ?? [];
	const hosts = links.map((link) => /^https?:\/\/([^/:?#]+)/i.exec(link)?.[1]?.toLowerCase() ?? '');
	const textParts = parts.filter((part) => part.type.startsWith('text/') && !part.attachment);
	const charset = textParts[0]?.charset ?? '';
	const ascii = CHARSETS.ascii.test(charset);
	const latin = CHARSETS.latin.test(charset);

	return {
		characters: log1p(characters),
		lines: log1p(filled.length),
		line_length: log1p(share(text.length, Math.max(1, filled.length))),
		blank_lines_share: share(lines.length - filled.length, lines.length),
		html_tags: log1p(tags.length),
		html_tag_share: share(
			tags.reduce((sum, tag) => sum + tag.length, 0),
			html.length,
		),
		html_comments: log1p(count(html, /<!--/g)),
		html_font_tags: log1p(count(html, /<font\b/gi)),
		html_images: log1p(count(html, /<img\b/gi)),
		html_forms: log1p(count(html, /<(form|input)\b/gi)),
		links: log1p(links.length),
		link_hosts: log1p(new Set(hosts).size),
		links_to_address: log1p(hosts.filter((host) => /^\d+(\.\d+){3}$/.test(host)).length),
		mail_addresses: log1p(count(source, /[\w.+-]+@[\w-]+\.[\w.-]+/g)),
		capital_share: share(count(text, /[A-Z]/g), letters),
		capital_words_share: share(words.filter((word) => word === word.toUpperCase()).length, words.length),
		digit_share: share(count(text, /\d/g), characters),
		punctuation_share: share(count(text, /[!-/:-@[-`{-~]/g), characters),
		beyond_ascii_share: share(count(text, /[\u0080-\uffff]/g), characters),
		exclamations: log1p(count(text, /!/g)),
		questions: log1p(count(text, /\?/g)),
		dollars: log1p(count(text, /\$/g)),
		percents: log1p(count(text, /%/g)),
		subject_characters: log1p(subject.length),
		subject_capital_share: share(count(subject, /[A-Z]/g), subjectLetters),
		subject_digits: log1p(count(subject, /\d/g)),
		subject_marks: log1p(count(subject, /[!?$%*]/g)),
		parts: log1p(parts.length),
		attachments: log1p(parts.filter((part) => part.attachment).length),
		charset_unstated: flag(charset === ''),
		charset_latin: flag(latin),
		charset_other: flag(!ascii && !latin),
		quoted_printable: flag(parts.some((part) => part.encoding === 'quoted-printable')),
		base64: flag(textParts.some((part) => part.encoding === 'base64')),
	};
}
