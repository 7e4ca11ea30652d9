import type { Initialisation } from '@steelyard/family';
import { GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { type CounterRandom, counterRandom } from '@steelyard/random';
import { sizeOf } from '@steelyard/runtime';
import type { Architecture } from './architecture.js';
import { poolRows } from './dropout-pool.js';
import { maskedSteps } from './examples.js';
import { embed, encodedModalities, type FamilyModel, familyOf, fuse, parametersOf } from './family-model.js';
import { forwardContext, fromPool } from './forward-context.js';
import { createPredictor } from './predictor.js';
import { maskName, presenceName, valuesName, weightName } from './value-names.js';
import { denseWork, stepWork } from './work.js';

function drawn(initial: Initialisation, count: number, random: CounterRandom): Float32Array {
	const values = new Float32Array(count);
	if ('constant' in initial) return values.fill(initial.constant);
	const value = 'normal' in initial ? () => random.normal() * initial.normal : () => (2 * random.uniform() - 1) * initial.uniform;
	for (let i = 0; i < count; i++) values[i] = value();
	return values;
}

function initialParameters(model: FamilyModel, seed: number, stream: number): Map<string, Float32Array> {
	const random = counterRandom(seed, stream);
	return new Map(parametersOf(model).map(({ name, shape, initial }) => [name, drawn(initial, sizeOf(shape), random)]));
}

/** Rows of the pool that each random draw of a training step takes: the pass is built once, and asked. */
function randomSites(model: FamilyModel, batch: number): number[] {
	const g = new GraphBuilder();
	const sites: number[] = [];
	const parameters = new Map(parametersOf(model).map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	const context = forwardContext(
		g,
		(name) => parameters.get(name) as Value,
		(shape) => {
			sites.push(poolRows(sizeOf(shape)));
			return g.input(`random.${sites.length}`, 'float32', shape);
		},
	);
	const shapes = new Map(model.modalities.map(({ name, shape }) => [name, shape]));
	const embeddings = embed(context, model, {
		x: (m) => g.input(valuesName(m), 'float32', [batch, ...(shapes.get(m) as number[])]),
		mask: (m) => g.input(maskName(m), 'float32', [batch, shapes.get(m)?.[0] as number]),
	});
	fuse(
		context,
		model,
		embeddings,
		model.modalities.map(({ name }) => ({
			weight: g.input(weightName(name), 'float32', [batch, 1]),
			present: g.input(presenceName(name), 'float32', [batch, 1]),
		})),
	);
	return sites;
}

/** A model of a built-in family as something to train. */
export function familyArchitecture(model: FamilyModel): Architecture {
	const { modalities, outputs } = model;
	const parameters = parametersOf(model);
	const encoders = new Map(parameters.map(({ name, encoder }) => [name, encoder]));
	const sites = new Map<number, number[]>();
	return {
		modalities,
		outputs,
		output: null,
		probabilities: null,
		positions: null,
		ownLoss: null,
		auxiliary: [],
		masks: maskedSteps(modalities),
		parameters,
		encoderOf: (parameter) => encoders.get(parameter) ?? null,
		storedName: (name) => name,
		running: [],
		dropouts(batch) {
			const known = sites.get(batch) ?? randomSites(model, batch);
			sites.set(batch, known);
			return known;
		},
		opset: OPSET,
		fixedBatch: null,
		padding: familyOf(model).mixesRows ? 'repeat' : 'zeros',
		initial: (seed, stream) => initialParameters(model, seed, stream),
		work(_, batch) {
			const encoded = encodedModalities(model);
			const family = familyOf(model);
			const dense = family.parameters(model.config, encoded, outputs);
			const pass = family.work?.(model.config, encoded, outputs, batch) ?? denseWork({ parameters: dense, modalities: encoded, batch });
			return stepWork(pass, parameters);
		},
		forward(g, inputs, { fixedSizes = false }) {
			const uniform = inputs.random === undefined ? null : fromPool(g, inputs.random.pool, inputs.random.rows);
			const context = { ...forwardContext(g, inputs.parameter, uniform), fixedSizes };
			const embeddings: Value[] = embed(context, model, inputs);
			return {
				fused: (weighted) => fuse(context, model, embeddings, weighted),
				ownLoss: null,
				auxiliary: () => [],
				running: () => new Map(),
			};
		},
		predictor: (options) => createPredictor(model, options),
		ownModel: null,
	};
}
