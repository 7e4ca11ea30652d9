import type { SweepResource } from '@steelyard/contracts';
import type { VNode } from 'preact';
import { numbersOfCoordinates, ParallelCoordinates } from '../compare/parallel-coordinates.js';
import type { SpecValue } from '../compare/spec-differences.js';
import { Bars, numbersOfBars } from '../plots/bars.js';
import { Figure } from '../plots/figure.js';
import { assignmentsOf } from './assignments.js';
import { shortName } from './dimension-name.js';
import { objectiveOf } from './objective.js';
import { numbersOfObjective, ObjectivePicture } from './objective-picture.js';

/** Assignments that have a line each in the picture of settings, the best ones. */
const MOST_LINES = 200;
/** So many assignments have a value before it is known which dimensions matter. */
const FOR_IMPORTANCE = 20;

const plain = (value: unknown): SpecValue | undefined =>
	value === undefined || value === null || typeof value !== 'object' ? (value as SpecValue | undefined) : JSON.stringify(value);

/** The settings of the best trials beside their values: a line each, of which the best tenth stands out. */
function Settings({ sweep }: { sweep: SweepResource }): VNode | null {
	const { space, metric } = sweep.spec;
	const paths = Object.keys(space);
	const tried = assignmentsOf(sweep)
		.filter(({ mean }) => mean !== null)
		.slice(0, MOST_LINES);
	if (tried.length < 2) return null;
	const best = Math.max(1, Math.ceil(tried.length / 10));
	// What is drawn last lies on top.
	const drawn = tried.map((one, place) => ({ ...one, color: place < best ? 0 : 7 })).toReversed();
	const coordinates = {
		axes: [
			...paths.map((path) => ({ name: shortName(path, paths), values: drawn.map(({ values }) => plain(values[path])) })),
			{ name: metric, values: drawn.map(({ mean }) => mean ?? undefined) },
		],
		lines: drawn.map(({ trials, color }) => ({ name: `trial ${trials[0]?.trial}`, color, isFaint: color === 7 })),
	};
	return (
		<Figure
			title={`Settings and ${metric}`}
			hint={`A line for each assignment; the best ${best === 1 ? 'one' : best} in colour.`}
			numbers={() => numbersOfCoordinates(coordinates)}
		>
			<ParallelCoordinates {...coordinates} />
		</Figure>
	);
}

/** How much each dimension mattered. */
function Importance({ importance, paths }: { importance: Readonly<Record<string, number>>; paths: readonly string[] }): VNode {
	const bars = {
		parts: ['share'],
		groups: Object.entries(importance)
			.toSorted(([, a], [, b]) => b - a)
			.map(([path, share]) => ({ name: shortName(path, paths), values: [100 * share] })),
	};
	return (
		<Figure
			title="What mattered"
			hint="For being among the best tenth, each dimension by itself (PED-ANOVA)."
			numbers={() => numbersOfBars(bars)}
		>
			<Bars label="Share of each dimension in what makes trials good" {...bars} unit="share, %" />
		</Figure>
	);
}

/** The pictures of a sweep. */
export function SweepFigures({ sweep }: { sweep: SweepResource }): VNode {
	const { metric, space } = sweep.spec;
	const points = objectiveOf(sweep);
	return (
		<>
			{points.length === 0 ? (
				<p class="quiet">There are pictures once a trial has a value.</p>
			) : (
				<div class="figures filled">
					<Figure
						title={`${metric} over the trials`}
						hint={`On validation; ${sweep.spec.direction === 'minimise' ? 'lower' : 'higher'} is better.${sweep.spec.seeds > 1 ? ' Each seed is a trial.' : ''}`}
						numbers={() => numbersOfObjective(points, metric)}
					>
						<ObjectivePicture points={points} metric={metric} />
					</Figure>
					{sweep.importance !== null && <Importance importance={sweep.importance} paths={Object.keys(space)} />}
					<Settings sweep={sweep} />
				</div>
			)}
			{points.length > 0 && sweep.importance === null && (
				<p class="hint">Which dimensions matter shows once {FOR_IMPORTANCE} assignments have values.</p>
			)}
		</>
	);
}
