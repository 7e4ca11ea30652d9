// Makes services/cli/sample/visits.csv: made-up visits to a hospital, on which the documents show a table's way to a prediction. `node test/sample/visits.mjs`
import { writeFileSync } from 'node:fs';
import { counterRandom } from '../../packages/random/dist/index.js';

const ROWS = 800;
const random = counterRandom(20, 'visits');
const pick = (/** @type {readonly string[]} */ of) => /** @type {string} */ (of[random.below(of.length)]);
const chance = (/** @type {number} */ p) => random.uniform() < p;

const complaints = {
	mild: ['a cough since Monday', 'pain in the knee', 'a rash on the arm', 'a sore throat', 'a check of the blood pressure'],
	grave: ['short of breath at night', 'swollen legs', 'chest pain on the stairs', 'confused and weak', 'fell twice this week'],
};
const homes = ['lives alone', 'lives with family', 'in a nursing home'];

function visit() {
	const age = Math.round(Math.min(97, Math.max(18, 58 + 18 * random.normal())));
	const isGrave = chance(0.4);
	const home = pick(homes);
	const ward = pick(['cardiology', 'medicine', 'surgery']);
	const pulse = Math.round(76 + 9 * random.normal() + (isGrave ? 9 : 0));
	const score =
		-1.6 +
		0.03 * (age - 58) +
		(isGrave ? 1.6 : 0) +
		(home === 'lives alone' ? 0.9 : 0) +
		(ward === 'cardiology' ? 0.7 : 0) +
		0.03 * (pulse - 76);
	const when = new Date(Date.UTC(2024, 0, 1) + random.below(365 * 24 * 4) * 15 * 60_000);
	const note = chance(0.08)
		? ''
		: `Comes with ${pick(isGrave ? complaints.grave : complaints.mild)}, ${home}; "${pick(['stable', 'tired', 'in good spirits'])}"`;
	return [
		when.toISOString().slice(0, 16).replace('T', ' '),
		chance(0.05) ? 'NA' : age,
		chance(0.12) ? '' : pulse,
		ward,
		`"${note.replaceAll('"', '""')}"`,
		chance(1 / (1 + Math.exp(-1.6 * score))) ? 'yes' : 'no',
	].join(',');
}

const rows = Array.from({ length: ROWS }, (_, i) => `${1000 + i},${visit()}`);
writeFileSync(
	new URL('../../services/cli/sample/visits.csv', import.meta.url),
	`visit,seen,age,pulse,ward,note,readmitted\n${rows.join('\n')}\n`,
);
