import type { EvaluationFigures, NumbersByRightness } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure } from '../format.js';
import { Problem } from '../parts/problem.js';
import { Bars, numbersOfBars } from '../plots/bars.js';
import { ChartFigure } from '../plots/chart-figure.js';
import { Figure } from '../plots/figure.js';
import { Histogram, numbersOfHistogram } from '../plots/histogram.js';
import { informationChart, modalitiesOf, weightsChart } from './curves.js';
import { SplitChoice, splitIn } from './split-choice.js';
import { type TabProps, useArtifact } from './tab.js';

/** The ends of equal bins. */
const edgesOf = ({ from, to, right }: NumbersByRightness): number[] => {
	const width = (to - from || 1) / right.counts.length;
	return Array.from({ length: right.counts.length + 1 }, (_, i) => from + i * width);
};

/** Weights or divergences of the rows of a split, apart for right and wrong predictions. */
function ByRightness({ title, unit, numbers }: { title: string; unit: string; numbers: NumbersByRightness }): VNode {
	const { right, wrong } = numbers;
	const drawn = {
		unit,
		edges: edgesOf(numbers),
		groups: [
			{ name: `right (${right.count.toLocaleString('en')})`, color: 0, counts: right.counts },
			{ name: `wrong (${wrong.count.toLocaleString('en')})`, color: 1, counts: wrong.counts },
		],
	};
	return (
		<Figure
			title={title}
			hint={`Mean ${figure(right.mean)} where the prediction is right, ${figure(wrong.mean)} where it is wrong.`}
			numbers={() => numbersOfHistogram(drawn)}
		>
			<Histogram label={`${title}: shares of right and wrong predictions`} {...drawn} asShares />
		</Figure>
	);
}

/** How far the model trusts each modality: over the training, over the rows, and where it is right or wrong. */
export function WeightsTab({ view, job }: TabProps): VNode {
	const points = view.weights.value;
	const modalities = modalitiesOf(job, points);
	const evaluation = useArtifact<EvaluationFigures>(job, 'evaluation.json');
	const { value, error } = evaluation.value;
	const information = informationChart(points, modalities);
	const result = job.result?.modality_weights ?? {};
	const parts = ['mean weight'];
	const groups = modalities.map((name) => ({
		name,
		values: [result[name]?.mean ?? null],
		errors: [result[name] === undefined ? null : ([result[name].p10, result[name].p90] as const)],
	}));
	const split = value === null ? null : splitIn(Object.keys(value.splits));
	const figures = split === null ? undefined : value?.splits[split];
	return (
		<>
			{points.length === 0 && job.result === null && (
				<p class="quiet">
					{job.spec.weighting.preset === 'uniform'
						? 'This job weighs nothing: every modality counts the same.'
						: 'There are no weights yet: they are made when the fused model is trained.'}
				</p>
			)}
			<div class="figures">
				{points.length > 0 && (
					<ChartFigure
						chart={weightsChart(points, modalities)}
						hint="The mean over the training rows at each refresh. Eight rows in ten lie within the band."
					/>
				)}
				{information !== null && (
					<ChartFigure chart={information} hint="How much the outputs of each modality alone say of the outputs of the fused model." />
				)}
				{job.result !== null && modalities.length > 0 && (
					<Figure
						title="Weights of the exported model"
						hint={`Over the rows of the ${'test' in job.result.metrics ? 'test' : 'validation'} split that have the modality; the line goes from p10 to p90.`}
						numbers={() => ({
							columns: ['modality', 'mean', 'p10', 'p90', 'mutual information (nats)'],
							rows: modalities.map((name) => [
								name,
								result[name]?.mean ?? null,
								result[name]?.p10 ?? null,
								result[name]?.p90 ?? null,
								result[name]?.mutual_information ?? null,
							]),
						})}
					>
						<Bars label="Mean weight of each modality" parts={parts} groups={groups} unit="weight" />
					</Figure>
				)}
			</div>
			{error !== null && <Problem error={error} title="The figures of the rows could not be read" again={evaluation.again} />}
			{figures !== undefined && value !== null && (
				<>
					<h2>Where it is right and where it is wrong</h2>
					<p class="hint">
						Each group is shown as shares of itself. A modality that is trusted less where predictions are wrong is one that the model knows
						to distrust.
					</p>
					<SplitChoice splits={Object.keys(value.splits)} />
					<div class="figures">
						{Object.entries(figures.weights).map(([name, numbers]) => (
							<ByRightness key={name} title={`Weight of ${name}`} unit="weight" numbers={numbers} />
						))}
						{Object.entries(figures.divergence ?? {}).map(([name, numbers]) => (
							<ByRightness key={name} title={`Divergence of ${name}`} unit="KL(unimodal ‖ fused), nats" numbers={numbers} />
						))}
					</div>
				</>
			)}
			{job.result !== null && <ExpertUse use={job.result.expert_use ?? {}} />}
		</>
	);
}

/** How much goes to each expert of a model that has some. */
function ExpertUse({ use }: { use: Readonly<Record<string, readonly number[]>> }): VNode | null {
	const routers = Object.entries(use);
	if (routers.length === 0) return null;
	return (
		<>
			<h2>Experts</h2>
			<div class="figures">
				{routers.map(([router, shares]) => {
					const drawn = { parts: ['share'], groups: shares.map((share, i) => ({ name: `expert ${i}`, values: [share] })) };
					return (
						<Figure key={router} title={`Use of experts, ${router}`} numbers={() => numbersOfBars(drawn)}>
							<Bars label={`Share of each expert in ${router}`} {...drawn} unit="share of what is routed" />
						</Figure>
					);
				})}
			</div>
		</>
	);
}
