import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { bestOf } from '../job/curves.js';
import { nameOf } from '../job-status.js';
import { useLoading } from '../loading.js';
import { Problem } from '../parts/problem.js';
import type { Series } from '../plots/chart.js';
import { ChartFigure } from '../plots/chart-figure.js';
import { client } from '../session.js';
import type { ShownJob } from './shown-job.js';

/** The curves of one metric, one for each job. */
export function Curves({ shown, metric }: { shown: readonly ShownJob[]; metric: string }): VNode | null {
	const ids = shown.map(({ job }) => job.id).join(' ');
	const curves = useLoading(async () => Promise.all(ids.split(' ').map((id) => client.value.jobs.metrics(id))));
	useEffect(() => curves.again(), [ids]);
	const { value, error } = curves.value;
	if (error !== null) return <Problem error={error} title="The curves could not be read" again={curves.again} />;
	if (value === null) return null;
	const series = shown.flatMap(({ job, color }, i): Series[] => {
		const points = (value[i]?.epochs ?? []).filter(({ model }) => model === 'fusion');
		const best = bestOf(points, job.result?.best_epoch);
		const at = best?.validation[metric] ?? null;
		return points.length === 0
			? []
			: [
					{
						...{
							name: nameOf(job),
							color,
							x: points.map(({ epoch }) => epoch + 1),
							y: points.map(({ validation }) => validation[metric] ?? null),
						},
						...(best === null || at === null ? {} : { marks: [{ x: best.epoch + 1, y: at, name: `best epoch of ${nameOf(job)}` }] }),
					},
				];
	});
	return (
		<ChartFigure
			chart={{ title: `Validation: ${metric}`, x: { label: 'epoch', whole: true }, y: { label: metric }, series }}
			hint="Of the fused model of each job; the dot is its best epoch."
		/>
	);
}
