import type { Calibration, ClassCurve, EvaluationFigures, Reliability, SplitFigures } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { figure, percent } from '../format.js';
import { Problem } from '../parts/problem.js';
import type { Chart, Series } from '../plots/chart.js';
import { ChartFigure } from '../plots/chart-figure.js';
import { Figure } from '../plots/figure.js';
import { Histogram, numbersOfHistogram } from '../plots/histogram.js';
import { Matrix, numbersOfMatrix } from '../plots/matrix.js';
import { numbersOfScatter, Scatter } from '../plots/scatter.js';
import { SplitChoice, splitIn } from './split-choice.js';
import { type TabProps, useArtifact } from './tab.js';

const SHARE = [0, 1] as const;

/** ROC of the classes or labels that have one. */
function rocChart(curves: readonly ClassCurve[]): Chart {
	const series = curves.flatMap(({ name, curve, auroc }, color): Series[] =>
		curve === null ? [] : [{ name: `${name} (${figure(auroc, 3)})`, color, x: curve.false_positive_rate, y: curve.true_positive_rate }],
	);
	return {
		title: 'ROC',
		x: { label: 'false positive rate', range: SHARE },
		y: { label: 'true positive rate', range: SHARE },
		series,
		diagonal: true,
	};
}

/** Precision over recall. */
function precisionChart(curves: readonly ClassCurve[]): Chart {
	const series = curves.flatMap(({ name, curve, auprc }, color): Series[] =>
		curve === null ? [] : [{ name: `${name} (${figure(auprc, 3)})`, color, x: curve.true_positive_rate, y: curve.precision }],
	);
	return { title: 'Precision and recall', x: { label: 'recall', range: SHARE }, y: { label: 'precision', range: SHARE }, series };
}

/** How often predictions of each confidence are right. */
function reliabilityChart({ exported, before }: { exported: Reliability; before: Reliability | null }): Chart {
	const line = (name: string, color: number, { bins }: Reliability): Series => {
		const full = bins.filter(({ confidence }) => confidence !== null);
		return { name, color, x: full.map(({ confidence }) => confidence as number), y: full.map(({ accuracy }) => accuracy) };
	};
	const series = [line('exported', 0, exported), ...(before === null ? [] : [{ ...line('without temperature', 1, before), dashed: true }])];
	return {
		title: 'Reliability',
		x: { label: 'confidence', range: SHARE },
		y: { label: 'share that is right', range: SHARE },
		series,
		diagonal: true,
	};
}

/** Predicted and true classes. */
function Confusion({ counts, value }: { counts: readonly (readonly number[])[]; value: EvaluationFigures }): VNode {
	const names = [...value.classes.map(({ name }) => name), ...(value.others > 0 ? [`${value.others} others`] : [])];
	const drawn = { rows: names, columns: names, counts };
	return (
		<Figure
			title="Confusion matrix"
			hint="Each row is shaded by its shares: a good model has its strongest colour along the diagonal."
			numbers={() => numbersOfMatrix(drawn)}
		>
			<Matrix label="How many rows of each class are predicted as each class" {...drawn} />
		</Figure>
	);
}

/** A matrix of two by two for each label. */
function LabelMatrices({ curves }: { curves: readonly ClassCurve[] }): VNode {
	return (
		<>
			{curves.map(({ name, matrix }) => {
				if (matrix === null) return null;
				const drawn = { rows: ['without', 'with'], columns: ['without', 'with'], counts: matrix };
				return (
					<Figure key={name} title={`Label ${name}`} numbers={() => numbersOfMatrix(drawn)}>
						<Matrix label={`How many rows with and without ${name} it is predicted for`} {...drawn} />
					</Figure>
				);
			})}
		</>
	);
}

/** Predicted against true values. */
function Values({ values }: { values: NonNullable<SplitFigures['values']> }): VNode {
	const { sample, residuals } = values;
	const points = sample.row.map((row, i) => ({ name: `row ${row}`, x: sample.label[i] as number, y: sample.prediction[i] as number }));
	const scatter = { x: 'true', y: 'predicted', points };
	const width = (residuals.to - residuals.from || 1) / residuals.counts.length;
	const bars = {
		unit: 'true − predicted',
		edges: Array.from({ length: residuals.counts.length + 1 }, (_, i) => residuals.from + i * width),
		groups: [{ name: 'rows', color: 0, counts: residuals.counts }],
	};
	return (
		<>
			<Figure title="Predicted against true" hint="On the line a prediction is exact." numbers={() => numbersOfScatter(scatter)}>
				<Scatter label="Predicted over true values" {...scatter} square />
			</Figure>
			<Figure
				title="Residuals"
				hint={`Half of the rows are above ${figure(residuals.p50)}; eight in ten lie from ${figure(residuals.p10)} to ${figure(residuals.p90)}.`}
				numbers={() => numbersOfHistogram(bars)}
			>
				<Histogram label="How many rows have which error" {...bars} />
			</Figure>
		</>
	);
}

/** What the exported model does on each split, row by row. */
export function EvaluationTab({ job }: TabProps): VNode {
	const evaluation = useArtifact<EvaluationFigures>(job, 'evaluation.json');
	const calibration = useArtifact<Calibration>(job, 'calibration.json');
	const { value, error, isLoading } = evaluation.value;
	if (error !== null) return <Problem error={error} title="The figures could not be read" again={evaluation.again} />;
	if (value === null)
		return (
			<p class="quiet">
				{isLoading
					? 'Loading …'
					: job.status === 'succeeded'
						? 'This job has no figures of its rows: it was trained by an earlier version, or its rows have labels for each position.'
						: 'There are figures once the job has succeeded: they are measured with the exported model.'}
			</p>
		);
	const splits = Object.keys(value.splits);
	const split = splitIn(splits) ?? '';
	const figures = value.splits[split];
	const reliability = calibration.value.value?.splits[split];
	if (figures === undefined) return <p class="quiet">No split has figures.</p>;
	const hasCurves = figures.curves.some(({ curve }) => curve !== null);
	return (
		<>
			<SplitChoice splits={splits} />
			<p class="hint">{figures.rows.toLocaleString('en')} rows.</p>
			<div class="figures">
				{figures.confusion !== null && <Confusion counts={figures.confusion} value={value} />}
				{hasCurves && <ChartFigure chart={rocChart(figures.curves)} hint="In brackets is the area below the curve." height={300} />}
				{hasCurves && <ChartFigure chart={precisionChart(figures.curves)} hint="In brackets is the average precision." height={300} />}
				{reliability !== undefined && (
					<ChartFigure
						chart={reliabilityChart(reliability)}
						hint={`Expected calibration error ${percent(reliability.exported.ece)}. On the diagonal a model is as sure as it is right.`}
						height={300}
					/>
				)}
				{figures.values !== null && <Values values={figures.values} />}
				<LabelMatrices curves={figures.curves} />
			</div>
		</>
	);
}
