import type { VNode } from 'preact';
import { ChartFigure } from '../plots/chart-figure.js';
import { place, setQuery } from '../router.js';
import { lossChart, metricChart, metricsIn, modalitiesOf, modelsIn } from './curves.js';
import type { TabProps } from './tab.js';

/** The curves of all models of a job. */
export function TrainingTab({ view, job }: TabProps): VNode {
	const epochs = view.epochs.value;
	const { query } = place.value;
	const look = {
		log: query.get('log') === '1',
		smoothing: Math.min(0.99, Math.max(0, Number(query.get('smooth') ?? 0) || 0)),
		exported: job.result?.best_epoch,
	};
	const models = modelsIn(epochs);
	if (models.length === 0) return <p class="quiet">There is no curve yet: the first epoch has not ended.</p>;
	const modalities = modalitiesOf(job, view.weights.value, epochs);
	return (
		<>
			<div class="actions">
				<label>
					<input type="checkbox" checked={look.log} onChange={(event) => setQuery({ log: event.currentTarget.checked ? '1' : null })} />{' '}
					Logarithmic loss
				</label>
				<label class="smoothing">
					Smoothing{' '}
					<input
						type="range"
						min="0"
						max="0.99"
						step="0.01"
						value={look.smoothing}
						onInput={(event) => setQuery({ smooth: event.currentTarget.value === '0' ? null : event.currentTarget.value })}
					/>{' '}
					<output>{look.smoothing.toFixed(2)}</output>
				</label>
			</div>
			<p class="hint">
				A dot marks the best epoch of each model by validation. Drag over a picture to look closer; a double click shows all again.
			</p>
			<div class="figures">
				{models.includes('fusion') && <ChartFigure chart={lossChart(epochs, 'fusion', look)} />}
				{metricsIn(epochs).map((metric) => (
					<ChartFigure key={metric} chart={metricChart(epochs, { metric, title: `Validation: ${metric}`, modalities }, look)} />
				))}
			</div>
		</>
	);
}
