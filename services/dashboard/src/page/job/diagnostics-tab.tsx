import type { Diagnostics, Robustness } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure } from '../format.js';
import { Problem } from '../parts/problem.js';
import { Bars, numbersOfBars } from '../plots/bars.js';
import type { Chart } from '../plots/chart.js';
import { ChartFigure } from '../plots/chart-figure.js';
import { Figure } from '../plots/figure.js';
import { SplitChoice, splitIn } from './split-choice.js';
import { type TabProps, useArtifact } from './tab.js';

/** The metric that a modality is judged by in a picture: the one that chose the best modality, or the loss. */
const metricIn = ({ best_unimodal: best }: Diagnostics): string => best?.metric ?? 'loss';

/** How good each modality is alone, and all together. */
function Alone({ job, value, split }: Pick<TabProps, 'job'> & { value: Diagnostics; split: string }): VNode | null {
	const { unimodal, fusion_gain: gains } = value;
	if (unimodal === null) return <p class="quiet">{value.reason ?? 'No model of one modality was trained.'}</p>;
	const metric = metricIn(value);
	const drawn = {
		parts: [metric],
		groups: [
			...value.modalities.map((name) => ({ name: `${name} alone`, values: [unimodal[name]?.[split]?.[metric] ?? null] })),
			{ name: 'fused', values: [job.result?.metrics[split]?.[metric] ?? null] },
		],
	};
	const gain = gains?.[split]?.gain[metric];
	return (
		<Figure
			title={`Each modality alone, and fused: ${metric}`}
			hint={
				gain === undefined || gain === null
					? undefined
					: gain > 0
						? `Fusion is better than the best modality alone, ${value.best_unimodal?.modality}, by ${figure(gain)}, over the rows that have it.`
						: `Fusion is no better than the best modality alone, ${value.best_unimodal?.modality} (${figure(gain)}, over the rows that have it).`
			}
			numbers={() => numbersOfBars(drawn)}
		>
			<Bars label={`${metric} of each modality alone and of the fused model`} {...drawn} unit={metric} />
		</Figure>
	);
}

/** What two modalities say of the label, in parts. */
function Information({ value, split }: { value: Diagnostics; split: string }): VNode | null {
	const pairs = value.partial_information?.pairs.flatMap(({ modalities: [first, second], splits }) => {
		const parts = splits[split];
		return parts === undefined || parts === null ? [] : [{ first, second, parts }];
	});
	if (pairs === undefined || pairs.length === 0) return null;
	const drawn = {
		parts: ['redundant', 'first alone', 'second alone', 'only together'],
		groups: pairs.map(({ first, second, parts }) => ({
			name: `${first}, ${second}`,
			values: [parts.redundant, parts.unique[first] ?? 0, parts.unique[second] ?? 0, parts.synergistic],
		})),
	};
	return (
		<Figure
			title="What pairs of modalities say of the label"
			hint="In nats, of the classes that two unimodal models predict. Compare the parts with each other: with few rows all are too high."
			numbers={() => numbersOfBars(drawn)}
		>
			<Bars label="Redundant, unique and synergistic information of each pair" {...drawn} unit="nats" stacked />
		</Figure>
	);
}

/** How the metric falls with the noise of each modality. */
function noiseChart(value: Robustness, split: string): Chart {
	const { metric } = value;
	const of = value.splits[split];
	const clean = of?.clean[metric] ?? null;
	const series = Object.entries(of?.modalities ?? {}).flatMap(([name, { noisy }], color) =>
		noisy === null
			? []
			: [
					{
						name,
						color,
						x: [0, ...noisy.levels.map(({ level }) => level)],
						y: [clean, ...noisy.levels.map(({ metrics }) => metrics[metric] ?? null)],
					},
				],
	);
	return {
		title: `${metric} under noise`,
		x: { label: 'noise, in deviations of the feature (or share of values replaced)' },
		y: { label: metric },
		series,
	};
}

/** What becomes of the model where a modality breaks. */
function Broken({ value }: { value: Robustness }): VNode {
	const splits = Object.keys(value.splits);
	const split = splitIn(splits);
	const of = split === null ? undefined : value.splits[split];
	if (split === null || of === undefined) return <p class="quiet">{value.reason ?? 'Nothing was measured.'}</p>;
	const { metric } = value;
	const drawn = {
		parts: ['missing', 'of other rows'],
		groups: Object.entries(of.modalities).map(([name, { missing, shuffled }]) => {
			const shuffle = shuffled?.drop[metric] ?? null;
			return {
				name,
				values: [missing?.drop[metric] ?? null, shuffle?.mean ?? null],
				errors: [null, shuffle === null ? null : ([shuffle.low, shuffle.high] as const)],
			};
		}),
	};
	return (
		<div class="figures">
			<Figure
				title={`Loss of ${metric} where a modality breaks`}
				hint={`Clean it is ${figure(of.clean[metric])}, over ${of.rows.toLocaleString('en')} rows. A long bar is a modality that the model depends on; a bar at zero is one that it could do without.`}
				numbers={() => numbersOfBars(drawn)}
			>
				<Bars
					label={`How much worse ${metric} is where each modality is missing or that of other rows`}
					{...drawn}
					unit={`how much worse ${metric} is`}
				/>
			</Figure>
			<ChartFigure
				chart={noiseChart(value, split)}
				hint="At 0 the rows are as they are. The flatter a line, the less noise in that modality harms."
			/>
		</div>
	);
}

/** What each modality is worth: alone, together, and where it breaks. */
export function DiagnosticsTab({ job }: TabProps): VNode {
	const diagnostics = useArtifact<Diagnostics>(job, 'diagnostics.json');
	const robustness = useArtifact<Robustness>(job, 'robustness.json');
	const error = diagnostics.value.error ?? robustness.value.error;
	if (error !== null)
		return (
			<Problem
				error={error}
				title="The diagnostics could not be read"
				again={() => {
					diagnostics.again();
					robustness.again();
				}}
			/>
		);
	const { value } = diagnostics.value;
	const splits = [...new Set([...Object.keys(job.result?.metrics ?? {})])];
	const split = splitIn(splits) ?? '';
	if (value === null && robustness.value.value === null)
		return (
			<p class="quiet">
				{diagnostics.value.isLoading || robustness.value.isLoading
					? 'Loading …'
					: job.status === 'succeeded'
						? 'This job has no diagnostics.'
						: 'There are diagnostics once the job has succeeded.'}
			</p>
		);
	return (
		<>
			<SplitChoice splits={splits} />
			{value !== null && (
				<>
					<h2>What each is worth</h2>
					<div class="figures">
						<Alone job={job} value={value} split={split} />
						<Information value={value} split={split} />
					</div>
				</>
			)}
			{robustness.value.value !== null && (
				<>
					<h2>Where a modality breaks</h2>
					<Broken value={robustness.value.value} />
				</>
			)}
		</>
	);
}
