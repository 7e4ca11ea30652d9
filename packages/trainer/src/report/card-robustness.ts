import type { Robustness } from '@steelyard/contracts';
import { nameOf } from './card-metrics.js';
import { count, figure, MOST_SHOWN, markdownTable, more, plain, section, signed } from './card-text.js';
import { higherIsBetter } from './metrics.js';

/** How a metric changes by a drop, which is positive where it gets worse. */
function change(metric: string, drop: number | null): string {
	if (drop === null) return 'could not be measured';
	if (Math.abs(drop) < 0.0005) return 'stays the same';
	return `${drop > 0 === higherIsBetter(metric) ? 'falls' : 'rises'} by ${figure(Math.abs(drop))}`;
}

type Broken = Robustness['splits'][string]['modalities'][string];

/** One sentence about one modality. */
function brokenSentence(name: string, metric: string, { failed, missing, shuffled, noisy }: Broken): string {
	if (missing === null && shuffled === null && noisy === null) return `- **${name}** could not be broken: ${plain(failed ?? '', 300)}.`;
	const called = nameOf(metric);
	const strongest = noisy?.levels.at(-1);
	const parts = [
		`where it is missing, the ${called} ${change(metric, missing?.drop[metric] ?? null)}`,
		`where rows have that of others, it ${change(metric, shuffled?.drop[metric]?.mean ?? null)}`,
		`under the strongest noise it ${change(metric, strongest?.drop[metric] ?? null)}`,
	];
	const loss = shuffled?.drop['loss'] ?? null;
	if (loss === null) return `- **${name}**: ${parts.join('; ')}.`;
	const verdict =
		loss.low > 0
			? 'on these rows the model uses it'
			: loss.high < 0
				? 'on these rows the model is better without it'
				: 'these rows do not show that the model uses it';
	const [low, high] = [signed(loss.low), signed(loss.high)];
	return `- **${name}**: ${parts.join('; ')}. With that of others the loss changes by ${signed(loss.mean)} (${low} to ${high}): ${verdict}.`;
}

/** What happens to the figures of the split `reported` where a modality breaks; `robustness` is null where the spec does not want it. */
export function breaking({ robustness, reported }: { robustness: Robustness | null; reported: string }): string {
	const title = 'What happens when a modality breaks';
	if (robustness === null) return section(title, 'This was not measured: the job was posted with evaluation.robustness false.');
	const of = robustness.splits[reported];
	if (of === undefined)
		return section(title, `This was not measured: ${plain(robustness.reason ?? 'the model could not be run over the split', 400)}.`);
	const { metric } = robustness;
	const { rows, clean, modalities } = of;
	const shown = Object.entries(modalities).slice(0, MOST_SHOWN);
	const levels = shown.map(([, { noisy }]) => noisy?.levels ?? []);
	const table = markdownTable([
		['modality', 'missing', 'of other rows (95 %)', 'weak noise', 'noise', 'strong noise'],
		...shown.map(([name, { missing, shuffled }], i) => {
			const drop = shuffled?.drop[metric] ?? null;
			return [
				name,
				signed(missing?.drop[metric]),
				drop === null ? '–' : `${signed(drop.mean)} (${signed(drop.low)} to ${signed(drop.high)})`,
				...[0, 1, 2].map((at) => signed(levels[i]?.[at]?.drop[metric])),
			];
		}),
	]);
	const drops = shown.map(([name, { shuffled }]) => ({ name, drop: (shuffled?.drop['loss'] ?? shuffled?.drop[metric])?.mean ?? 0 }));
	const needed = drops.toSorted((a, b) => b.drop - a.drop)[0];
	const sample =
		rows < of.of
			? ` That is a random part of the ${count(of.of)} rows of ${reported}: ${metric === 'accuracy' ? `one row more or less is ${figure(1 / rows)}, and ` : ''}small differences mean little.`
			: '';
	return section(
		title,
		`The model was run on ${count(rows)} rows of ${reported} with one modality broken at a time. Its ${nameOf(metric)} on the same rows as they are is ${figure(clean[metric])}; the table says by how much it gets worse, so that + is worse.${sample}`,
		table,
		shown.length > 1 && needed !== undefined && needed.drop > 0 ? `It depends most on **${needed.name}**.` : '',
		shown.map(([name, broken]) => brokenSentence(name, metric, broken)).join('\n'),
		more(Object.keys(modalities).length, 'modalities'),
		'Noise is normal, of 0.5, 1 and 2 of the usual deviations of each number; of numbers that stand for words or categories 25 %, 50 % and all are replaced by those of other rows.',
	);
}
