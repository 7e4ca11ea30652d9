import type { Metrics, ModalityRobustness } from '@steelyard/contracts';
import type { FeatureMoments } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { counterRandom, shuffle } from '@steelyard/random';
import { RuntimeError } from '@steelyard/runtime';
import { withBorrowed } from '../model/borrowed.js';
import type { Examples } from '../model/examples.js';
import { withNoise, withReplaced } from '../model/noisy.js';
import { type Absence, without } from '../model/without.js';
import { dropsOf, effectiveRobustness, intervalOf, relativeRobustness } from '../report/robustness-figures.js';
import { EvaluationError } from './over-rows.js';

export const SHUFFLES = 10;
/** Of normal noise, in deviations of a feature. */
const DEVIATIONS = [0.5, 1, 2];
/** Of ids and of true and false: the share that is replaced. */
const SHARES = [0.25, 0.5, 1];
/** How often a model is run over the rows for one modality. */
export const RUNS = 1 + SHUFFLES + DEVIATIONS.length;

/** A modality and the ways in which it is broken. */
export type Breakable = {
	readonly modality: ModalityShape;
	readonly absence: Absence;
	/** Whether noise replaces its numbers, rather than being added to them. */
	readonly replaced: boolean;
	/** Over training rows. */
	readonly moments: FeatureMoments;
};

/** The rows that it is broken in, and what is measured of them. Metrics are those of `clean`, by their names. */
export type BrokenRows = {
	readonly examples: Examples;
	readonly clean: Metrics;
	readonly measure: (changed: Examples) => Promise<Metrics>;
	/** The same metrics of late fusion where this modality is changed; null where there is none. */
	readonly late: ((changed: Examples) => Promise<Metrics>) | null;
	readonly seed: number;
};

type Found<T> = NonNullable<T>;

/** What `measure` gives; null, with its words in `failures`, where the graph fails on what it was given. */
async function unlessFailed<T>(failures: string[], measure: () => Promise<T>): Promise<T | null> {
	try {
		return await measure();
	} catch (error) {
		if (!(error instanceof EvaluationError || (error instanceof RuntimeError && error.code === 'run_failed'))) throw error;
		failures.push(error.message);
		return null;
	}
}

async function missing({ modality, absence, moments }: Breakable, { examples, clean, measure }: BrokenRows) {
	const metrics = await measure(without(examples, modality, absence, moments));
	return { by: absence, metrics, drop: dropsOf(clean, metrics) };
}

/**
 * The rise of each metric where rows have the modality of other rows: the permutation importance of Breiman 2001, over the given orders of the rows, each a permutation of
 * `examples.rows`.
 */
export async function permutationImportance(
	modality: string,
	{ examples, clean, measure }: Pick<BrokenRows, 'examples' | 'clean' | 'measure'>,
	orders: readonly Uint32Array[],
): Promise<Found<ModalityRobustness['shuffled']>> {
	const drops: Metrics[] = [];
	for (const order of orders) drops.push(dropsOf(clean, await measure(withBorrowed(examples, modality, order))));
	const intervals = Object.keys(clean).map((name) => [name, intervalOf(drops.map((drop) => drop[name] ?? null))] as const);
	return { drop: Object.fromEntries(intervals) };
}

async function shuffled({ modality: { name } }: Breakable, rows: BrokenRows) {
	const { examples, seed } = rows;
	const orders = Array.from({ length: SHUFFLES }, (_, round) =>
		shuffle(examples.rows.slice(), counterRandom(seed, `robustness/shuffle/${examples.name}/${name}/${round}`)),
	);
	return permutationImportance(name, rows, orders);
}

async function noisy(
	{ modality, replaced, moments }: Breakable,
	{ examples, clean, measure, late, seed }: BrokenRows,
): Promise<Found<ModalityRobustness['noisy']>> {
	const levels = replaced ? SHARES : DEVIATIONS;
	const draws = { seed, purpose: `robustness/noise/${modality.name}` };
	const changed = replaced
		? levels.map((level) => withReplaced(examples, modality, level, draws))
		: withNoise(examples, modality, levels, draws, moments);
	const own = [clean];
	for (const one of changed) own.push(await measure(one));
	const others: Metrics[] = [];
	if (late !== null) for (const one of [examples, ...changed]) others.push(await late(one));
	const steps = [0, ...levels];
	const byMetric = (figure: (name: string) => number | null): Metrics =>
		Object.fromEntries(Object.keys(clean).map((name) => [name, figure(name)]));
	const curve = (of: readonly Metrics[], name: string): (number | null)[] => of.map((metrics) => metrics[name] ?? null);
	return {
		by: replaced ? 'replaced' : 'gaussian',
		levels: levels.map((level, i) => {
			const metrics = own[i + 1] as Metrics;
			return { level, metrics, drop: dropsOf(clean, metrics) };
		}),
		relative: byMetric((name) => relativeRobustness(steps, curve(own, name))),
		effective: late === null ? null : byMetric((name) => effectiveRobustness(name, steps, curve(own, name), curve(others, name))),
	};
}

/** What a model does where a modality is missing, shuffled among the rows, and noisy. Every draw is a function of the seed. */
export async function brokenModality(of: Breakable, rows: BrokenRows): Promise<ModalityRobustness> {
	const failures: string[] = [];
	const found = {
		missing: await unlessFailed(failures, () => missing(of, rows)),
		shuffled: await unlessFailed(failures, () => shuffled(of, rows)),
		noisy: await unlessFailed(failures, () => noisy(of, rows)),
	};
	return { failed: failures[0] ?? null, ...found };
}
