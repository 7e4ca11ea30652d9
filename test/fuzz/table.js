import { KINDS } from './kinds.js';

/** What came of mutants, a row for each kind, as a table of Markdown. */
export function tableOf(judged) {
	const rows = Object.keys(KINDS).map((kind) => {
		const ofKind = judged.filter((one) => one.kind === kind);
		const count = (outcome) => ofKind.filter((one) => one.outcome === outcome).length;
		const most = (of) => ofKind.reduce((largest, one) => Math.max(largest, of(one)), 0);
		const [accepted, refused, limit] = ['accepted', 'refused', 'over a limit'].map(count);
		const megabytes = Math.ceil(most(({ bytes }) => bytes) / 1024 ** 2);
		return [
			kind,
			ofKind.length,
			accepted,
			refused,
			limit,
			ofKind.length - accepted - refused - limit,
			`${most(({ seconds }) => seconds).toFixed(1)} s`,
			`${megabytes} MiB`,
		];
	});
	const head = ['kind', 'mutants', 'accepted', 'refused', 'over a limit', 'faults', 'longest', 'largest'];
	return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
