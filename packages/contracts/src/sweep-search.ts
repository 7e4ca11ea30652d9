import { type Static, type TProperties, Type } from 'typebox';
import { choice } from './choice.js';
import { ProblemError } from './problems.js';
import { SweepSpace } from './sweep-space.js';
import { spaceProblems } from './sweep-space-problems.js';

const closed = { additionalProperties: false } as const;

const named = <const Name extends string, Fields extends TProperties>(type: Name, description: string, fields: Fields) =>
	Type.Object({ type: choice([type], { default: type }), ...fields }, { ...closed, description });

/** How the next assignment is found. */
export const SearchMethod = Type.Union(
	[
		named('tpe', 'where good trials lie more densely than others: the tree-structured Parzen estimator (Bergstra et al. 2011)', {
			startup: Type.Integer({ minimum: 1, maximum: 10_000, default: 10, description: 'assignments that are drawn at random at first' }),
			candidates: Type.Integer({
				minimum: 1,
				maximum: 1000,
				default: 24,
				description: 'how many are drawn from the good ones each time, of which the most promising is taken',
			}),
		}),
		named('random', 'each assignment is drawn at random, whatever came of others', {}),
		named('grid', 'every assignment in order: the first dimension changes last', {
			points: Type.Integer({
				minimum: 2,
				maximum: 1000,
				default: 3,
				description:
					'values of each uniform, log-uniform and logarithmic int dimension, evenly spread from low to high; a plain int takes every integer',
			}),
		}),
	],
	{ default: {}, discriminator: { propertyName: 'type' }, description: 'how the next assignment is found; tpe unless given' },
);
export type SearchMethod = Static<typeof SearchMethod>;

/** Which trials end early. */
export const Pruning = Type.Union(
	[
		named('none', 'every trial is trained to its end', {}),
		named('asha', 'of the trials that reach a rung, the best go on to the next (asynchronous successive halving, arXiv 1810.05934)', {
			minimum: Type.Integer({
				minimum: 1,
				maximum: 100_000,
				default: 1,
				description: 'epochs of the first rung, to which every trial is trained',
			}),
			factor: Type.Integer({
				minimum: 2,
				maximum: 100,
				default: 3,
				description: 'by how much each rung has more epochs than the one before; one trial in so many goes on',
			}),
		}),
	],
	{ default: {}, discriminator: { propertyName: 'type' }, description: 'which trials end early; none unless given' },
);
export type Pruning = Static<typeof Pruning>;

/** The part of a sweep that says what is searched, and how. */
export const SweepSearch = Type.Object(
	{
		space: SweepSpace,
		search: SearchMethod,
		pruning: Pruning,
		direction: choice(['minimise', 'maximise'], { default: 'minimise', description: 'whether a lower or a higher value is better' }),
		seeds: Type.Integer({
			minimum: 1,
			maximum: 100,
			default: 1,
			description: 'with how many seeds each assignment is trained, each of which is a trial; 1 with asha',
		}),
		budget: Type.Object(
			{
				trials: Type.Integer({
					minimum: 1,
					maximum: 10_000,
					description: 'the most trials; of an assignment all seeds are trained or none',
				}),
				seconds: Type.Optional(
					Type.Number({
						exclusiveMinimum: 0,
						maximum: 1e9,
						description: 'after which no trial is started any more; any number unless given',
					}),
				),
			},
			{ ...closed, description: 'how much is tried' },
		),
		concurrency: Type.Integer({
			minimum: 1,
			maximum: 64,
			default: 4,
			description:
				'how many trials may be queued or running at once; the result of a sweep depends on it, but not on how many workers there are',
		}),
		seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295, default: 1, description: 'of every random number of the search' }),
	},
	closed,
);
export type SweepSearch = Static<typeof SweepSearch>;

const refusal = (param: string, message: string) => new ProblemError('invalid_request', message, param);

/**
 * What is wrong with a search that fits its schema.
 *
 * @param maximumEpochs the epochs of a trial that is trained to its end, where they are known
 */
export function* searchProblems(search: SweepSearch, maximumEpochs?: number): Iterable<ProblemError> {
	const { space, pruning, seeds, budget } = search;
	yield* spaceProblems(space);
	if (budget.trials < seeds)
		yield refusal('budget.trials', `budget.trials must be at least seeds (${seeds}), which one assignment takes; found ${budget.trials}`);
	if (pruning.type !== 'asha') return;
	if (seeds !== 1) yield refusal('seeds', `seeds must be 1 with asha, which compares single trials; found ${seeds}`);
	if (Object.hasOwn(space, 'training.epochs'))
		yield refusal('space.training.epochs', 'space.training.epochs cannot be searched with asha, whose rungs set the epochs');
	if (maximumEpochs !== undefined && pruning.minimum >= maximumEpochs)
		yield refusal(
			'pruning.minimum',
			`pruning.minimum must be less than the epochs of a whole trial (${maximumEpochs}), or no trial would end early; found ${pruning.minimum}`,
		);
}
