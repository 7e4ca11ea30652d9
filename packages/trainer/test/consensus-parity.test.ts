import type { TaskProfile } from '@steelyard/contracts';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { consensus, fitConsensus, fusedShare, joinConsensus, qmfWeights } from '@steelyard/weighting';
import { describe, expect, it } from 'vitest';
import { consensusGraph, fusedShareGraph, joinedGraph } from '../src/weighting/consensus/consensus-graph.js';
import { qmfGraph } from '../src/weighting/qmf/qmf-graph.js';

/** float32 against float64: weights are in [0, 1] and made of exponentials of at most 27.7, whose float32 argument is off by some 2e-6. */
const TOLERANCE = 1e-5;
const ROWS = 60;

const tasks: TaskProfile[] = [
	{ type: 'binary', classes: ['no', 'yes'], outputs: 1 },
	{ type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 },
	{ type: 'multilabel', classes: ['p', 'q'], outputs: 2 },
	{ type: 'regression', classes: [], outputs: 1 },
];

/** Outputs that follow the labels more or less, every seventh row with logits of ±1e4; some rows lack modalities, the last one lacks all. */
function sample(task: TaskProfile, modalities: number) {
	const random = counterRandom(3, `${task.type}/${modalities}`);
	const width = task.outputs;
	const labelled = task.type === 'multilabel' ? ROWS * width : ROWS;
	const labels = Float64Array.from({ length: labelled }, () =>
		task.type === 'regression' ? 2 * random.normal() : random.below(task.type === 'multiclass' ? 3 : 2),
	);
	const right = (i: number): number => {
		const row = Math.floor(i / width);
		if (task.type === 'regression') return labels[row]!;
		if (task.type === 'multiclass') return labels[row] === i % width ? 2 : -1;
		return labels[task.type === 'binary' ? row : i]! * 4 - 2;
	};
	const outputs = Array.from({ length: modalities }, (_, m) =>
		Float32Array.from({ length: ROWS * width }, (_, i) => {
			const wild = task.type !== 'regression' && Math.floor(i / width) % 7 === 6;
			return wild ? (random.uniform() < 0.5 ? -1e4 : 1e4) : right(i) + (m + 0.5) * random.normal();
		}),
	);
	const present = outputs.map(() => Uint8Array.from({ length: ROWS }, (_, i) => (i === ROWS - 1 || random.uniform() < 0.2 ? 0 : 1)));
	const fused = Float32Array.from({ length: ROWS * width }, (_, i) => right(i) + random.normal());
	return { labels, outputs, present, fused };
}

describe('the graphs of consensus and of qmf give what @steelyard/weighting gives', () => {
	for (const task of tasks)
		for (const modalities of [1, 3, 12])
			it(`${task.type}, ${modalities} modalities`, async () => {
				const { labels, outputs, present, fused } = sample(task, modalities);
				const form = { task: task.type, classes: task.outputs };
				const statistics = fitConsensus({ ...form, outOfFold: outputs, labels, present, epsilon: 0.1 });
				const expected = consensus({ ...form, statistics, outputs, present });
				const joined = joinConsensus(task.type, task.outputs, fused, expected.late, fusedShare(expected.weights, modalities, 0.1, present));

				const g = new GraphBuilder();
				const unimodal = outputs.map((_, m) => g.input(`u.${m}`, 'float32', ['batch', task.outputs]));
				const there = g.input('present', 'float32', ['batch', modalities]);
				const made = consensusGraph(g, task, statistics, { unimodal, present: there });
				g.output('weights', made.weights);
				const sigma = task.type === 'regression' ? outputs.map((_, m) => m + 0.5) : null;
				const qmf = qmfWeights({ ...form, outputs, present, ...(sigma === null ? {} : { sigma }) });
				g.output('qmf', qmfGraph(g, task, { sigma }, { unimodal, present: there }));
				g.output(
					'joined',
					joinedGraph(
						g,
						task,
						g.input('fused', 'float32', ['batch', task.outputs]),
						made.late,
						fusedShareGraph(g, 0.1, made.weights, there),
					),
				);
				const session = await createSession(encodeModel({ graph: g.build('consensus'), opset: OPSET }));
				const feeds: Record<string, Tensor> = {
					present: tensor(
						'float32',
						[ROWS, modalities],
						Float32Array.from({ length: ROWS * modalities }, (_, i) => present[i % modalities]![Math.floor(i / modalities)]!),
					),
					fused: tensor('float32', [ROWS, task.outputs], fused),
				};
				outputs.forEach((data, m) => {
					feeds[`u.${m}`] = tensor('float32', [ROWS, task.outputs], data);
				});
				const found = await session.run(feeds);
				await session.release();
				const weights = found['weights']!.data as Float32Array;
				expected.weights.forEach((w, i) => expect(Math.abs(weights[i]! - w), `weight ${i}`).toBeLessThanOrEqual(TOLERANCE));
				const byQmf = found['qmf']!.data as Float32Array;
				qmf.forEach((w, i) => expect(Math.abs(byQmf[i]! - w), `qmf ${i}`).toBeLessThanOrEqual(TOLERANCE * modalities));
				expect([...weights.subarray(-modalities)]).toEqual(Array(modalities).fill(0));
				const output = found['joined']!.data as Float32Array;
				joined.forEach((value, i) =>
					expect(Math.abs(output[i]! - value), `output ${i}`).toBeLessThanOrEqual(5 * TOLERANCE * Math.max(1, Math.abs(value))),
				);
			});
});
