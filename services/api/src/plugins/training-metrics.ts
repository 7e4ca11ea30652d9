import { COUNTS, type CountName, countIn, DISTRIBUTIONS, type DistributionName, distributionIn, type Tally } from '@steelyard/contracts';
import type { Histogram, Registry } from 'prom-client';

type Value = { metricName: string; labels: Record<string, string | number>; value: number };

const namesOf = <T extends object>(of: T) => Object.keys(of) as (keyof T & string)[];

/** Registers what was tallied of the training of all jobs, and of their notices; `tally` gives it anew for every scrape, null where it is not known. */
export function addTrainingMetrics(registry: Registry, tally: () => Tally | null): void {
	/** Of the classes of the library none takes sums that were made elsewhere. Its registry asks of a metric no more than this. */
	const register = (type: 'histogram' | 'counter', name: string, help: string, valuesOf: (known: Tally) => Value[]) => {
		const get = async () => {
			const known = tally();
			return { name, help, type, aggregator: 'sum', values: known === null ? [] : valuesOf(known) };
		};
		registry.registerMetric({ name, help, type, aggregator: 'sum', get } as unknown as Histogram);
	};
	const distribution = (of: DistributionName) => {
		const name = `steelyard_training_${of}`;
		register('histogram', name, DISTRIBUTIONS[of].help, (known) => {
			const { upTo, count, sum } = distributionIn(known, of);
			const bucket = (le: number | string, value: number): Value => ({ metricName: `${name}_bucket`, labels: { le }, value });
			return [
				...upTo.map(([bound, value]) => bucket(bound, value)),
				bucket('+Inf', count),
				{ metricName: `${name}_sum`, labels: {}, value: sum },
				{ metricName: `${name}_count`, labels: {}, value: count },
			];
		});
	};
	const counter = (of: CountName) => {
		const { metric, help, by } = COUNTS[of];
		const name = `steelyard_${metric}_total`;
		register('counter', name, help, (known) =>
			Object.entries(countIn(known, of)).map(([part, value]) => ({ metricName: name, labels: by === null ? {} : { [by]: part }, value })),
		);
	};
	for (const name of namesOf(DISTRIBUTIONS)) distribution(name);
	for (const name of namesOf(COUNTS)) counter(name);
}
