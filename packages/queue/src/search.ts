import { type FoundList, isFound, type JobResource, type JobStatus, type Metadata, ProblemError } from '@steelyard/contracts';
import { idsFrom } from '@steelyard/store';
import type { JobSearch } from './queue.js';
import type { IdRange, Records } from './records.js';

/** How many jobs one search by filters looks at; where more are left, it says where the next begins. */
export const LOOKED_AT = 10_000;
/** How many jobs one search by a metric looks at. Where there are more it is refused, as an order of some of them would be none. */
export const SORTED = 20_000;

/** How many cards are looked at together, and how many records are read together for them. */
const CARDS = 512;
const RECORDS = 64;

/** About how many characters all cards that are kept have. They take some bytes each. */
const KEPT = 16 * 1024 ** 2;
/** Characters of a card without its texts, and for each metric. */
const CARD = 200;
const METRIC = 40;

/** Milliseconds by which the time in an id and `created_at` may lie apart. */
const APART = 60_000;

/** What a search looks at in a job. */
type Card = {
	id: string;
	revision: string;
	status: JobStatus;
	dataset: string;
	name: string | undefined;
	metadata: Metadata;
	created_at: number;
	/** Metrics of the result by `<split>.<metric>`. */
	metrics: ReadonlyMap<string, number>;
};

function metricsOf({ result }: JobResource): Map<string, number> {
	const metrics = new Map<string, number>();
	for (const [split, of] of Object.entries(result?.metrics ?? {}))
		for (const [name, value] of Object.entries(of)) if (typeof value === 'number') metrics.set(`${split}.${name}`, value);
	return metrics;
}

const cardOf = (job: JobResource, revision: string): Card => ({
	...{ id: job.id, revision, status: job.status, dataset: job.spec.dataset, name: job.spec.name },
	...{ metadata: job.spec.metadata, created_at: job.created_at, metrics: metricsOf(job) },
});

const sizeOf = ({ name = '', metadata, metrics }: Card): number =>
	CARD + name.length + Object.entries(metadata).reduce((sum, [key, text]) => sum + key.length + text.length, 0) + METRIC * metrics.size;

/**
 * Keeps what searches look at, so that a record is read again only once it has changed. A card is that of the record where their revisions are equal, in one
 * filling of Redis.
 */
function openCards(records: Searched, kept: number) {
	let filling: string | null = null;
	let size = 0;
	const cards = new Map<string, Card>();

	function forget(id: string): void {
		const card = cards.get(id);
		if (card === undefined) return;
		size -= sizeOf(card);
		cards.delete(id);
	}

	function keep(card: Card): void {
		forget(card.id);
		size += sizeOf(card);
		cards.set(card.id, card);
		for (const id of cards.keys()) {
			if (size <= kept) return;
			forget(id);
		}
	}

	return {
		/** Has cards of an earlier filling forgotten, of which a revision says nothing now. */
		async begin(): Promise<void> {
			const now = await records.filling();
			if (now === filling) return;
			cards.clear();
			size = 0;
			filling = now;
		},

		/** The cards of ids in their order, without those of jobs that there are not. */
		async of(ids: readonly string[]): Promise<Card[]> {
			const revisions = await records.revisions(ids);
			const found = new Map<string, Card>();
			const old: string[] = [];
			for (const [i, id] of ids.entries()) {
				const card = cards.get(id);
				if (card !== undefined && card.revision === revisions[i]) found.set(id, card);
				else if (revisions[i] === null) forget(id);
				else old.push(id);
			}
			for (let i = 0; i < old.length; i += RECORDS)
				for (const { record, revision } of await records.findAll(old.slice(i, i + RECORDS))) {
					const card = cardOf(record, revision);
					keep(card);
					found.set(record.id, card);
				}
			return ids.flatMap((id) => found.get(id) ?? []);
		},
	};
}

/** The ids that jobs of the wanted time can have. */
const rangeOf = ({ created_after: after, created_before: before }: JobSearch): Pick<IdRange, 'least' | 'beyond'> => ({
	least: after === undefined ? undefined : idsFrom('job', after * 1000 - APART),
	beyond: before === undefined ? undefined : idsFrom('job', before * 1000 + APART),
});

const fits = (search: JobSearch, card: Card): boolean =>
	(search.status === undefined || search.status.includes(card.status)) &&
	(search.dataset === undefined || search.dataset === card.dataset) &&
	isFound(search, card);

/** The order of jobs by a metric, those without it last; among equals the newest first. */
function orderBy(metric: string, ascending: boolean): (a: Card, b: Card) => number {
	const newest = (a: Card, b: Card) => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
	return (a, b) => {
		const [x, y] = [a.metrics.get(metric), b.metrics.get(metric)];
		if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined) || newest(a, b);
		return (ascending ? x - y : y - x) || newest(a, b);
	};
}

type Found = { ids: string[]; next: string | null };

/** What a search asks of the records. */
export type Searched = Pick<Records, 'filling' | 'revisions' | 'findAll' | 'ids' | 'countIds'>;

/** A page of the jobs that fit. */
export type Search = (wanted: JobSearch) => Promise<FoundList<JobResource>>;

/** Opens the search for jobs of a project. `kept`: about how many characters of what it looks at it keeps in memory. */
export function openSearch(records: Searched, { lookedAt = LOOKED_AT, sorted = SORTED, kept = KEPT } = {}): Search {
	const cards = openCards(records, kept);

	const isFiltered = ({ status, name, dataset, metadata = {}, created_after, created_before }: JobSearch): boolean =>
		[status, name, dataset, created_after, created_before].some((filter) => filter !== undefined) || Object.keys(metadata).length > 0;

	/** By age: the index has this order, so that no more is looked at than a page needs. */
	async function byAge(search: JobSearch): Promise<Found> {
		const { project, limit } = search;
		const ascending = search.order === 'asc';
		if (!isFiltered(search)) {
			const ids = await records.ids(project, limit + 1, { after: search.after, ascending });
			return { ids: ids.slice(0, limit), next: ids.length > limit ? (ids[limit - 1] ?? null) : null };
		}
		const found: string[] = [];
		let { after } = search;
		for (let left = lookedAt; left > 0; ) {
			const count = Math.min(CARDS, left);
			// One more than is looked at says whether there are more.
			const ids = await records.ids(project, count + 1, { ...rangeOf(search), after, ascending });
			for (const card of await cards.of(ids.slice(0, count))) if (fits(search, card)) found.push(card.id);
			if (found.length > limit) return { ids: found.slice(0, limit), next: found[limit - 1] ?? null };
			if (ids.length <= count) return { ids: found, next: null };
			left -= count;
			after = ids[count - 1];
		}
		return { ids: found, next: after ?? null };
	}

	/** By a metric: all jobs that fit are looked at. Throws ProblemError where these may be too many, and where the job is gone that the page is to follow. */
	async function byMetric(search: JobSearch, metric: string): Promise<Found> {
		const { project, limit } = search;
		const range = rangeOf(search);
		const count = await records.countIds(project, range);
		if (count > sorted)
			throw new ProblemError(
				'invalid_request',
				`A list sorted by ${metric} looks at ${sorted} jobs at most, and there are ${count}; give created_after or created_before`,
				'sort',
			);
		const compare = orderBy(metric, search.order === 'asc');
		const [last] = search.after === undefined ? [] : await cards.of([search.after]);
		if (search.after !== undefined && last === undefined)
			throw new ProblemError('invalid_request', `There is no ${search.after} for a page to follow`, 'after');
		const found: Card[] = [];
		for (let after: string | undefined; ; ) {
			const ids = await records.ids(project, CARDS, { ...range, after });
			for (const card of await cards.of(ids)) if (fits(search, card) && (last === undefined || compare(last, card) < 0)) found.push(card);
			if (ids.length < CARDS) break;
			after = ids.at(-1);
		}
		const page = found.sort(compare).slice(0, limit);
		return { ids: page.map(({ id }) => id), next: found.length > limit ? (page.at(-1)?.id ?? null) : null };
	}

	return async (wanted) => {
		await cards.begin();
		const { sort = 'created' } = wanted;
		const { ids, next } = await (sort === 'created' ? byAge(wanted) : byMetric(wanted, sort));
		const found = await records.findAll(ids);
		return { object: 'list', data: found.map(({ record }) => record), has_more: next !== null, next };
	};
}
