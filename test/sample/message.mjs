// Reading one stored e-mail: header fields (RFC 5322), MIME leaf parts (RFC 2045, 2046) and encoded words (RFC 2047).

/**
 * @typedef {{ type: string, charset: string, encoding: string, attachment: boolean, text: string }} Part
 *   One MIME leaf. `type` is lower case; `text` is decoded for text/* parts that are not attachments and '' for all others.
 * @typedef {{ fields: Map<string, string[]>, parts: Part[] }} Message
 *   `fields` maps a lower-case field name to its unfolded values, top of the message first.
 */

/**
 * @param {Buffer} bytes the message as it lay in the mailbox, with or without the mbox "From " line
 * @returns {Message}
 */
export function parseMessage(bytes) {
	const raw = bytes.toString('latin1').replaceAll('\r\n', '\n');
	const { fields, body } = splitEntity(raw.replace(/^From .*\n/, ''));
	return { fields, parts: leaves(fields, body, 0) };
}

/** The first value of a field, '' where the message has none. */
export function field(message, name) {
	return message.fields.get(name)?.[0] ?? '';
}

/** Decodes the encoded words in a header value; a word in an unknown charset is read as Latin-1. */
export function decodeWords(value) {
	return value
		.replace(/(=\?[^?]+\?[bq]\?[^?]*\?=)\s+(?==\?)/gi, '$1')
		.replace(/=\?([^?*]+)(?:\*[^?]*)?\?([bq])\?([^?]*)\?=/gi, (_, charset, kind, coded) =>
			decodeCharset(kind.toLowerCase() === 'b' ? fromBase64(coded) : fromQuotedPrintable(coded.replaceAll('_', ' ')), charset),
		);
}

const FIELD = /^([!-9;-~]+)[ \t]*:[ \t]*(.*)$/;

function splitEntity(raw) {
	const fields = new Map();
	const lines = raw.split('\n');
	let at = 0;
	let current;
	for (; at < lines.length && lines[at] !== ''; at++) {
		const line = lines[at];
		if (/^[ \t]/.test(line) && current) {
			current[current.length - 1] += ` ${line.trim()}`;
			continue;
		}
		const match = FIELD.exec(line);
		if (!match) {
			// Some senders forget the empty line; what cannot be a field begins the body. A mangled mbox line is passed over.
			if (/^>?From /.test(line)) continue;
			at--;
			break;
		}
		const name = match[1].toLowerCase();
		current = fields.get(name) ?? [];
		current.push(match[2]);
		fields.set(name, current);
	}
	return { fields, body: lines.slice(at + 1).join('\n') };
}

function leaves(fields, body, depth) {
	const { type, parameters } = parseContentType(fields.get('content-type')?.[0] ?? 'text/plain');
	const boundary = parameters.get('boundary');
	if (type.startsWith('multipart/') && boundary && depth < 8) {
		const delimiter = new RegExp(`(?:^|\\n)--${boundary.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(--)?[ \\t]*(?=\\n|$)`);
		const pieces = body.split(delimiter);
		const parts = [];
		// split() interleaves the pieces with the captured "--": piece, mark, piece, mark; piece 0 is the preamble.
		for (let i = 2; i < pieces.length && pieces[i - 1] !== '--'; i += 2) {
			const inner = splitEntity(pieces[i].replace(/^\n/, ''));
			parts.push(...leaves(inner.fields, inner.body, depth + 1));
		}
		if (parts.length > 0) return parts;
	}
	if (type === 'message/rfc822' && depth > 0 && depth < 8) {
		const inner = splitEntity(body);
		return leaves(inner.fields, inner.body, depth + 1);
	}
	const encoding = (fields.get('content-transfer-encoding')?.[0] ?? '').trim().toLowerCase();
	const attachment = /^attachment/i.test(fields.get('content-disposition')?.[0] ?? '') || !/^(text|multipart)\//.test(type);
	const charset = (parameters.get('charset') ?? '').toLowerCase();
	return [{ type, charset, encoding, attachment, text: attachment ? '' : decodeCharset(decodeTransfer(body, encoding), charset) }];
}

function parseContentType(value) {
	const [head = '', ...rest] = value.split(';');
	const type = /^[\w.+-]+\/[\w.+-]+/.exec(head.trim().toLowerCase())?.[0] ?? 'text/plain';
	const parameters = new Map();
	for (const item of rest) {
		const match = /^\s*([\w-]+)\s*=\s*(?:"([^"]*)"?|(\S+))/.exec(item);
		if (match) parameters.set(match[1].toLowerCase(), match[2] ?? match[3]);
	}
	return { type, parameters };
}

function decodeTransfer(body, encoding) {
	if (encoding === 'base64') return fromBase64(body);
	if (encoding === 'quoted-printable') return fromQuotedPrintable(body);
	return Buffer.from(body, 'latin1');
}

function fromBase64(coded) {
	return Buffer.from(coded.replace(/[^A-Za-z0-9+/]/g, ''), 'base64');
}

function fromQuotedPrintable(coded) {
	const bytes = coded.replace(/[ \t]+$/gm, '').replace(/=\n/g, '');
	return Buffer.from(
		bytes.replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
		'latin1',
	);
}

function decodeCharset(bytes, charset) {
	let decoder;
	try {
		decoder = new TextDecoder(charset || 'windows-1252');
	} catch {
		// An unknown label is common in spam; Latin-1 keeps its ASCII words readable.
		decoder = new TextDecoder('windows-1252');
	}
	return decoder.decode(bytes);
}
