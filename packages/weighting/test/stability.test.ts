import { describe, expect, it } from 'vitest';
import {
	type ConsensusStatistics,
	consensus,
	fitConsensus,
	fitMinMax,
	fusedShare,
	instanceDivergence,
	instanceWeights,
	joinConsensus,
	modalityInformation,
	oracleSigma,
	qmfWeights,
	residualSigma,
	usesDivergence,
	usesInformation,
	type WeightFormula,
	type WeightingTask,
} from '../src/index.js';
import { hashed, normals } from './fixture.js';

type Sample = {
	task: WeightingTask;
	classes: number;
	rows: number;
	unimodal: Float64Array[];
	fused: Float64Array;
	labels: Float64Array;
	present: (Uint8Array | null)[];
};
const BTW: WeightFormula = {
	combine: 'kl+mi',
	direction: 'agreement',
	normalise: 'minmax',
	renormalise: 'mean1',
	informationScale: 'none',
};
const FORMULAS: Record<string, WeightFormula> = {
	mi: { ...BTW, combine: 'mi' },
	kl: { ...BTW, combine: 'kl' },
	'kl and mi': BTW,
	'kl by row, shares of mi': { ...BTW, normalise: 'row', informationScale: 'sum' },
	'divergence as it comes': { ...BTW, direction: 'divergence', renormalise: 'none' },
};

type Outputs = (count: number, stream: number) => Float64Array;

/** Every number that the package finds for a sample, from the unimodal outputs to the weights of each method. */
function everything(
	{ task, classes, rows, unimodal, fused, labels, present }: Sample,
	estimator: 'ksg' | 'argmax',
): Record<string, ArrayLike<number>> {
	const found: Record<string, ArrayLike<number>> = {};
	const mi = modalityInformation({ task, classes, unimodal, fused, present, estimator, seed: 1 });
	found['mi'] = mi;
	const sigmas = {
		fixed: unimodal.map(() => ({ unimodal: 0.1, fused: 0.1 })),
		residual: unimodal.map((output, m) => ({
			unimodal: task === 'regression' ? residualSigma(output, labels, present[m]!) : 1,
			fused: task === 'regression' ? residualSigma(fused, labels) : 1,
		})),
		oracle: unimodal.map((output) => ({ unimodal: oracleSigma(output, fused), fused: oracleSigma(fused, output) })),
	};
	for (const [name, formula] of Object.entries(FORMULAS)) {
		for (const sigma of task === 'regression' ? (['fixed', 'residual', 'oracle'] as const) : (['residual'] as const)) {
			const D = unimodal.map((output, m) =>
				usesDivergence(formula)
					? instanceDivergence({ task, classes, unimodal: output, fused, sigma: sigmas[sigma][m]!, present: present[m]! })
					: new Float64Array(rows),
			);
			D.forEach((column, m) => {
				found[`divergence of ${name} ${sigma} ${m}`] = column;
			});
			found[`weights of ${name} ${sigma}`] = instanceWeights(
				formula,
				{ mi: usesInformation(formula) ? mi : null, ...fitMinMax(D, present) },
				D,
				present,
			);
		}
	}
	const statistics: ConsensusStatistics = fitConsensus({ task, classes, outOfFold: unimodal, labels, present });
	found['statistics'] = [...statistics.prior, ...statistics.temperature, statistics.gamma, ...(statistics.sigma ?? [])];
	const { weights, late } = consensus({ task, classes, statistics, outputs: unimodal, present });
	found['weights of the vote'] = weights;
	found['late'] = late;
	found['joined'] = joinConsensus(task, classes, fused, late, fusedShare(weights, unimodal.length, statistics.epsilon, present));
	const sigma = sigmas.residual.map((pair) => pair.unimodal as number);
	found['weights of qmf'] = qmfWeights({ task, classes, outputs: unimodal, present, sigma });
	return found;
}

function sampleOf(task: WeightingTask, classes: number, modalities: number, rows: number, outputs: Outputs): Sample {
	const width = task === 'multiclass' || task === 'multilabel' ? classes : 1;
	const unimodal = Array.from({ length: modalities }, (_, m) => outputs(rows * width, m + 1));
	const fused = outputs(rows * width, 1); // those of the first modality, again
	const answers = hashed(task === 'multilabel' ? rows * width : rows, 3);
	const labels = answers.map((u) => (task === 'regression' ? u : Math.floor(u * (task === 'multiclass' ? classes : 2))));
	const present = Array.from({ length: modalities }, (_, m) =>
		m % 2 === 0 ? null : Uint8Array.from(hashed(rows, 40 + m), (u) => (u < 0.3 ? 0 : 1)),
	);
	return { task, classes, rows, unimodal, fused, labels, present };
}

function notFinite(values: ArrayLike<number>): number {
	let count = 0;
	for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at]!)) count++;
	return count;
}

/** Weights `[N, M]` below 0, or not 0 where the modality is absent. */
function misplaced(weights: ArrayLike<number>, present: Sample['present']): number {
	const modalities = present.length;
	let count = 0;
	for (let at = 0; at < weights.length; at++) {
		const absent = present[at % modalities]?.[Math.floor(at / modalities)] === 0;
		if (absent ? weights[at] !== 0 : weights[at]! < 0) count++;
	}
	return count;
}

const kinds: Record<string, Outputs> = {
	ordinary: (count, stream) => normals(count, stream).map((z) => 3 * z),
	'extreme, ±1e4': (count, stream) => hashed(count, stream).map((u) => (u < 0.5 ? -1e4 : 1e4)),
	identical: (count) => normals(count, 9),
	constant: (count) => new Float64Array(count).fill(0.7),
};
const tasks: [WeightingTask, number][] = [
	['binary', 2],
	['multiclass', 4],
	['multiclass', 1],
	['multilabel', 3],
	['regression', 1],
];

describe('the weighting', () => {
	for (const [kind, outputs] of Object.entries(kinds)) {
		for (const modalities of [1, 2, 3, 6, 12]) {
			it(`is finite, repeats itself and gives absent modalities 0 for ${modalities} modalities of ${kind} outputs, also in one row`, () => {
				for (const [task, classes] of tasks) {
					for (const rows of [1, 24]) {
						const sample = sampleOf(task, classes, modalities, rows, outputs);
						const found = everything(sample, 'ksg');
						expect(everything(sample, 'ksg')).toEqual(found);
						for (const [name, values] of Object.entries(found)) {
							expect(notFinite(values), `${name} of ${task}`).toBe(0);
							if (name.startsWith('weights')) expect(misplaced(values, sample.present), `${name} of ${task}`).toBe(0);
						}
					}
				}
			});
		}
	}

	it('has an answer for 200,000 rows', () => {
		const found = everything(sampleOf('binary', 2, 2, 200_000, kinds['ordinary']!), 'argmax');
		for (const [name, values] of Object.entries(found)) expect(notFinite(values), name).toBe(0);
	});
});
