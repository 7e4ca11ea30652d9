import type { EpochPoint, JobResource, WeightsPoint } from '@steelyard/contracts';
import { type Chart, type Series, smoothed } from '../plots/chart.js';

/** How curves are looked at. `exported` is the epoch of the fused model, from 0, that a job which has ended has exported. */
export type CurveView = { readonly log: boolean; readonly smoothing: number; readonly exported?: number | undefined };

/** The models of a job in the order in which they were trained: `fusion`, and one for each modality, or for each of its folds. */
export const modelsIn = (epochs: readonly EpochPoint[]): string[] => [...new Set(epochs.map(({ model }) => model))];

/** What a model is of: the fused one of everything, `text.3` of the modality text without the rows of the fold 3. */
export const sourceOf = (model: string, modalities: readonly string[]): { name: string; fold: number | null } => {
	const [, base = '', fold = ''] = /^(.*)\.(\d+)$/.exec(model) ?? [];
	return modalities.includes(base) && !modalities.includes(model) ? { name: base, fold: Number(fold) } : { name: model, fold: null };
};

/** The colour of the fused model, which no modality has before the eighth. */
const FUSED = 7;

/** The epochs of one model. */
const ofModel = (epochs: readonly EpochPoint[], model: string): EpochPoint[] =>
	epochs.filter((point) => point.model === model).sort((a, b) => a.epoch - b.epoch);

/** The metrics that validation has, the loss first. */
export const metricsIn = (epochs: readonly EpochPoint[]): string[] => {
	const names = new Set(epochs.flatMap(({ validation }) => Object.keys(validation)));
	return ['loss', ...[...names].filter((name) => name !== 'loss')].filter((name) => names.has(name));
};

/** A line of raw values, and where it is smoothed the smoothed one before it. */
function lines(series: Series, smoothing: number): Series[] {
	if (smoothing === 0) return [series];
	const { marks: _, ...raw } = series;
	return [
		{ ...raw, faint: true },
		{ ...series, y: smoothed(series.y, smoothing) },
	];
}

/**
 * The epoch of a model that is taken: the one that was `exported`, where that is known, else the last that was the best so far.
 * They differ where a guard has exported an epoch before the first refresh.
 */
export const bestOf = (points: readonly EpochPoint[], exported?: number): EpochPoint | null =>
	points.find(({ epoch }) => epoch === exported) ?? points.findLast(({ best }) => best) ?? null;

/** What the loss of a model is called. While a job chooses its weighting, the fused model of each candidate has the name of that before its own. */
function titleOf(model: string): string {
	if (model === 'fusion') return 'Loss of the fused model';
	const [candidate, fused] = model.split(': ');
	return fused === 'fusion' ? `Loss of the fused model with ${candidate}` : `Loss of ${model} alone`;
}

/** The epochs of the fused model: the loss of training and of validation, with the best epoch marked. Of a job that has none yet, those of the model that is trained now. */
export function lossChart(epochs: readonly EpochPoint[], model: string, { log, smoothing, exported }: CurveView): Chart {
	const points = ofModel(epochs, model);
	const best = bestOf(points, model === 'fusion' ? exported : undefined);
	const x = points.map(({ epoch }) => epoch + 1);
	const loss = best?.validation['loss'] ?? null;
	const series: Series[] = [
		{ name: 'training', color: 1, dashed: true, x, y: points.map(({ train_loss: value }) => value) },
		{
			...{ name: 'validation', color: 0, x, y: points.map(({ validation }) => validation['loss'] ?? null) },
			...(best === null || loss === null ? {} : { marks: [{ x: best.epoch + 1, y: loss, name: 'best epoch' }] }),
		},
	];
	return {
		title: titleOf(model),
		x: { label: 'epoch', whole: true },
		y: { label: 'loss', log },
		series: series.flatMap((line) => lines(line, smoothing)),
	};
}

/** A metric of validation over the epochs of all models, each with its best epoch. A modality has one colour in all pictures; its folds share it. */
export function metricChart(
	epochs: readonly EpochPoint[],
	{ metric, title, modalities }: { metric: string; title: string; modalities: readonly string[] },
	{ log, smoothing, exported }: CurveView,
): Chart {
	const series = modelsIn(epochs).flatMap((model) => {
		const points = ofModel(epochs, model);
		const best = bestOf(points, model === 'fusion' ? exported : undefined);
		const value = best?.validation[metric] ?? null;
		const { name, fold } = sourceOf(model, modalities);
		const line: Series = {
			name: fold === null ? (name === 'fusion' ? 'fused' : name) : fold === 0 ? `${name} (folds)` : `${name}, fold ${fold}`,
			color: name === 'fusion' ? FUSED : Math.max(0, modalities.indexOf(name)),
			x: points.map(({ epoch }) => epoch + 1),
			y: points.map(({ validation }) => validation[metric] ?? null),
			...(fold !== null && fold > 0 ? { unlisted: true } : {}),
			...(best === null || value === null ? {} : { marks: [{ x: best.epoch + 1, y: value, name: `best epoch of ${model}` }] }),
		};
		return lines(line, smoothing);
	});
	return { title, x: { label: 'epoch', whole: true }, y: { label: metric, log: log && metric === 'loss' }, series };
}

/** Mean weight of each modality by refresh, with the range of the rows. */
export function weightsChart(points: readonly WeightsPoint[], modalities: readonly string[]): Chart {
	const x = points.map(({ epoch }) => epoch + 1);
	const series = modalities.map((modality, color): Series => {
		const y = points.map(({ modality_weights: of }) => of[modality] ?? null);
		const hasSpread = points.some(({ spread }) => spread?.[modality] !== undefined);
		const end = (which: 'p10' | 'p90') => points.map(({ spread }) => spread?.[modality]?.[which] ?? null);
		return { name: modality, color, x, y, ...(hasSpread ? { band: { low: end('p10'), high: end('p90'), name: 'p10–p90' } } : {}) };
	});
	return { title: 'Weight of each modality', x: { label: 'epoch', whole: true }, y: { label: 'weight' }, series };
}

/** Mutual information of each modality by refresh; null where the method has none. */
export function informationChart(points: readonly WeightsPoint[], modalities: readonly string[]): Chart | null {
	const told = points.filter(({ mutual_information: information }) => information !== null);
	if (told.length === 0) return null;
	const x = told.map(({ epoch }) => epoch + 1);
	const series = modalities.map((name, color) => ({ name, color, x, y: told.map(({ mutual_information: of }) => of?.[name] ?? null) }));
	return { title: 'Mutual information', x: { label: 'epoch', whole: true }, y: { label: 'nats' }, series };
}

/** The modalities of a job, in the order that colours follow: those that have weights, else those that have a model of their own. */
export function modalitiesOf(job: JobResource, weights: readonly WeightsPoint[], epochs: readonly EpochPoint[] = []): string[] {
	const named = job.spec.modalities ?? Object.keys(job.result?.modality_weights ?? weights.at(-1)?.modality_weights ?? {});
	if (named.length > 0) return [...named];
	return [...new Set(modelsIn(epochs).map((model) => model.replace(/\.\d+$/, '')))].filter((name) => name !== 'fusion');
}
