import { ProblemError } from '@steelyard/contracts';
import { type ModalityShape, onlyLogits } from '@steelyard/family';
import { type Dim, decodeModel, encodeModel, type Graph, HALVES, replaceInitializers, type Value } from '@steelyard/onnx';
import { createSession, sizeOf, type Tensor } from '@steelyard/runtime';
import type {
	Architecture,
	OwnModel,
	ParameterShape,
	Parameters,
	Predictor,
	PredictorOptions,
	WeightAndPresence,
} from '../model/architecture.js';
import { auxiliaryWidth } from '../model/auxiliary-output.js';
import { poolRows } from '../model/dropout-pool.js';
import type { MaskKind } from '../model/examples.js';
import { layoutOf, parametersByName } from '../model/parameter-layout.js';
import { type RunningStatistic, withBatchStatistics, withRunningStatistics } from './batch-norm.js';
import { bind } from './bind.js';
import { type DropoutSite, POOL, withDropout, withoutDropout } from './dropout.js';
import type { Feed, Source } from './feeds.js';
import { withLogits } from './logits.js';
import { initialAdapters, merged } from './lora.js';
import { place } from './place.js';
import { pruned } from './pruned.js';
import { type Runnable, resultsOf, visitGraph } from './run-graph.js';
import type { Uploaded } from './uploaded.js';
import { weighEmbeddings } from './weigh-embeddings.js';
import { graphWork } from './work.js';

/** A form of the uploaded graph and what goes into its inputs. */
type Form = {
	readonly graph: Graph;
	readonly feeds: readonly Feed[];
	readonly running: readonly RunningStatistic[];
	readonly sites: readonly DropoutSite[];
};

/** What goes into an input of a modality that is left out: zeros, weight 0, and a mask of ones, since a row without any step may have no finite output. */
const leftOut = (feed: Feed, { from, modality }: Exclude<Source, { from: 'labels' }>): Feed => ({
	...feed,
	source: { from: 'constant', modality, value: from === 'mask' ? 1 : 0 },
});

const predicting = (graph: Graph): Graph => withoutDropout(withRunningStatistics(graph));

/** The graph in the form that predicts and in the form that a step trains: with the `kept` modalities, and nothing that its results do not need. */
function formsOf(
	{ graph: whole, feeds, embeddings, config, dropped, output, ownLoss, auxiliary }: Uploaded,
	kept: ReadonlySet<string>,
): { infer: Form; train: Form } {
	const weighed = weighEmbeddings(whole, embeddings, kept);
	const all = [
		...feeds.map((feed) => (feed.source.from === 'labels' || kept.has(feed.source.modality) ? feed : leftOut(feed, feed.source))),
		...weighed.feeds,
	];
	const results = resultsOf({ output, ownLoss, auxiliary });
	const form = (
		graph: Graph,
		wanted: readonly string[],
		running: readonly RunningStatistic[] = [],
		sites: readonly DropoutSite[] = [],
	): Form => {
		const needed = pruned(graph, [...wanted, ...running.map(({ next }) => next)]);
		return { graph: needed, running, sites, feeds: all.filter(({ name }) => needed.inputs.some((input) => input.name === name)) };
	};
	const live = pruned(weighed.graph, results);
	const minimised = ownLoss === null ? results : [ownLoss.output];
	const dropping = withDropout(pruned(live, minimised), dropped);
	const { graph, running } =
		config.batch_norm === 'frozen' ? { graph: withRunningStatistics(dropping.graph), running: [] } : withBatchStatistics(dropping.graph);
	return { infer: form(predicting(live), results), train: form(graph, minimised, running, dropping.sites) };
}

/** Labels of a row that a graph takes. */
const labelsTaken = (feeds: readonly Feed[]): number => {
	const feed = feeds.find(({ source }) => source.from === 'labels');
	return feed === undefined ? 0 : sizeOf(feed.shape);
};

const runningName = (initializer: string): string => `running.${initializer}`;

/** The trained numbers of the user's initializers, in which adapters are merged, and the adapters apart. */
function ownNumbers(
	{ adapters, graph }: Uploaded,
	numbers: ReadonlyMap<string, Tensor>,
): Pick<OwnModel, 'adapters'> & { own: Map<string, Tensor> } {
	const own = new Map(numbers);
	const apart = new Map<string, Tensor>();
	for (const adapter of adapters) {
		const { matrix, a, b } = adapter;
		if (!numbers.has(a.initializer)) continue; // nothing that leads to the output reads the matrix
		own.set(matrix, merged(adapter, (own.get(matrix) ?? graph.initializers.get(matrix)) as Tensor, numbers));
		for (const { name, initializer } of [a, b]) {
			apart.set(name, numbers.get(initializer) as Tensor);
			own.delete(initializer);
		}
	}
	return { own, adapters: adapters.length === 0 ? null : apart };
}

/** The initializers that training changed by gradients and those of floating type that stayed; `numbers` are those that it moved, running statistics among them. */
function initializersOf({ adapters, chosen, whole }: Uploaded, numbers: ReadonlyMap<string, Tensor>): OwnModel['initializers'] {
	const adapted = adapters.filter(({ a }) => numbers.has(a.initializer)).map(({ matrix }) => matrix);
	const trained = new Set([...chosen.map(({ initializer }) => initializer).filter((name) => numbers.has(name)), ...adapted]);
	const floating = [...whole.initializers].flatMap(([name, { dtype }]) =>
		dtype.startsWith('float') && !name.startsWith('steelyard/') ? [name] : [],
	);
	return {
		trained: floating.filter((name) => trained.has(name)),
		kept: floating.filter((name) => !trained.has(name) && !numbers.has(name)),
	};
}

/** The file of the user with trained numbers in it; a graph that was exported in training form is given back as it predicts. */
function ownModel(uploaded: Uploaded, modalities: readonly ModalityShape[], numbers: ReadonlyMap<string, Tensor>): OwnModel {
	const { logits: main, auxiliary, whole, opset, predicts } = uploaded;
	const file = predicts ? uploaded.read() : encodeModel({ graph: predicting(whole), opset });
	const { own, adapters } = ownNumbers(uploaded, numbers);
	const bytes = replaceInitializers(file, own);
	const runnable: Runnable = { ...uploaded, modalities };
	const withOutput = (): Uint8Array => {
		const model = decodeModel(bytes, { widen: HALVES });
		const { graph } = withLogits(model.graph, { main, auxiliary: auxiliary.map(({ logits }) => logits) });
		return encodeModel({ ...model, graph }, resultsOf(uploaded));
	};
	const given = [uploaded.config.output ?? null, ...auxiliary.map(({ name }) => name)];
	const taken = [uploaded.output, ...auxiliary.map(({ value }) => value)];
	return {
		bytes,
		initializers: initializersOf(uploaded, numbers),
		adapters,
		judged: taken.join() === given.join() && !uploaded.isHalf ? bytes : withOutput(),
		visit: (session, examples, weights, visit) => visitGraph(session, runnable, examples, weights, visit),
	};
}

/** Predicts by the uploaded graph itself, its parameters as inputs. */
async function createPredictor(
	uploaded: Uploaded,
	{ graph, feeds }: Form,
	architecture: Architecture,
	initializerOf: (name: string) => string,
	{ provider, threads, stoppable }: PredictorOptions,
): Promise<Predictor> {
	const { opset, fixedBatch, outputs } = uploaded;
	const batch: Dim = fixedBatch ?? 'batch';
	const state = [...architecture.parameters, ...architecture.running];
	const moved = state.filter(({ name }) => graph.initializers.has(initializerOf(name)));
	const names = new Set(moved.map(({ name }) => initializerOf(name)));
	const inputs = [
		...feeds.map(({ name, dtype, shape }): Value => ({ name, dtype, shape: [batch, ...shape] })),
		...moved.map(({ name, shape }): Value => ({ name: initializerOf(name), dtype: 'float32', shape })),
	];
	const initializers = new Map([...graph.initializers].filter(([name]) => !names.has(name)));
	const loaded = await createSession(encodeModel({ graph: { ...graph, inputs, initializers }, opset }, resultsOf(uploaded)), {
		provider,
		threads,
		optimisation: 'all',
	});
	const session = stoppable(loaded);
	const runnable: Runnable = { ...uploaded, feeds, modalities: architecture.modalities };
	const { trained, running } = layoutOf(architecture);
	const numbersOf = (parameters: Parameters): Record<string, Tensor> => {
		const values = parametersByName([...trained, ...running], parameters);
		return Object.fromEntries(moved.map(({ name }) => [initializerOf(name), values.get(name) as Tensor]));
	};
	return {
		async encode(examples, parameters) {
			const numbers = numbersOf(parameters);
			return async (weights) => {
				const logits = new Float32Array(examples.rows.length * outputs);
				await visitGraph(
					session,
					runnable,
					examples,
					weights,
					(found, start) => logits.set(found as Float32Array, start * outputs),
					numbers,
				);
				return logits;
			};
		},
		visit: (examples, parameters, weights, visit) => visitGraph(session, runnable, examples, weights, visit, numbersOf(parameters)),
		dispose: () => session.release(),
	};
}

/** An uploaded graph as something to train: with all modalities, or with some of them alone, the others left out. */
export function customArchitecture(uploaded: Uploaded, modalities: readonly ModalityShape[], all: readonly ModalityShape[]): Architecture {
	const { config, chosen, opset, outputs, positions, logits: logitsIn, ownLoss, auxiliary } = uploaded;
	const minimised = (ownLoss ?? uploaded).output as string;
	const named = ownLoss?.output ?? config.output;
	const { infer, train } = formsOf(uploaded, new Set(modalities.map(({ name }) => name)));
	const parameters = chosen.filter(({ initializer }) => train.graph.initializers.has(initializer));
	const running = train.running.map(({ initializer }): ParameterShape => {
		return { name: runningName(initializer), shape: (train.graph.initializers.get(initializer) as Tensor).shape };
	});
	if (parameters.length === 0)
		throw new ProblemError(
			'invalid_model',
			modalities.length === all.length
				? `no trainable parameter leads to the output "${named}"`
				: `no trainable parameter leads from the modality "${modalities[0]?.name}" to the output "${named}", and weighting trains one model per modality`,
			config.trainable === undefined ? 'model.frozen' : 'model.trainable',
		);
	const initializers = new Map([
		...chosen.map(({ name, initializer }): [string, string] => [name, initializer]),
		...train.running.map(({ initializer }): [string, string] => [runningName(initializer), initializer]),
	]);
	const initializerOf = (name: string): string => initializers.get(name) as string;
	const maskOf = ({ source }: Feed): Array<[string, MaskKind]> => (source.from === 'mask' ? [[source.modality, source.kind]] : []);
	const state: readonly ParameterShape[] = [...parameters, ...running];
	const architecture: Architecture = {
		encoderOf: () => null,
		storedName: initializerOf,
		modalities,
		outputs,
		output: config.output ?? null,
		probabilities:
			logitsIn === null || logitsIn.operator === null ? null : { operator: logitsIn.operator, output: config.output as string },
		ownLoss: ownLoss && { output: ownLoss.output, labels: labelsTaken(train.feeds) },
		positions,
		auxiliary,
		masks: new Map(train.feeds.flatMap(maskOf)),
		parameters,
		running,
		dropouts: (batch) => train.sites.map(({ perRow }) => poolRows(batch * perRow)),
		opset,
		fixedBatch: uploaded.fixedBatch,
		padding: 'repeat',
		initial(seed, stream) {
			const ofAdapters = initialAdapters(uploaded.adapters, seed, stream);
			const uploadedNumbers = (name: string) => (uploaded.graph.initializers.get(initializerOf(name)) as Tensor).data as Float32Array;
			return new Map(state.map(({ name }) => [name, ofAdapters.get(name) ?? uploadedNumbers(name)]));
		},
		// backward costs about twice the forward pass
		work: (graph) => 3 * graphWork(graph) + 20 * parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
		forward(g, inputs, { scope, mode }) {
			const { graph, feeds, running: moving, sites } = mode === 'train' ? train : infer;
			const like = inputs.x((modalities[0] as ModalityShape).name);
			const bound = new Map<string, Value>();
			const late = feeds.filter(({ source }) => source.from === 'weight');
			for (const feed of feeds)
				if (!late.includes(feed))
					bound.set(
						feed.name,
						bind(g, feed, inputs, like, () => like),
					);
			for (const { name } of state) bound.set(initializerOf(name), inputs.parameter(name));
			if (inputs.random !== undefined && sites.length > 0) {
				bound.set(POOL, inputs.random.pool);
				for (const [i, { rows }] of sites.entries()) bound.set(rows, inputs.random.rows[i] as Value);
			}
			const rest = place(
				g,
				graph,
				bound,
				late.map(({ name }) => name),
				scope,
			);
			let nameOf = (name: string): string => name;
			/** Adds what depends on the weights: the logits, or the loss that the graph computes itself. */
			const result = (weighted: readonly WeightAndPresence[]): Value => {
				const weight = (modality: string): Value =>
					(weighted[modalities.findIndex(({ name }) => name === modality)] as WeightAndPresence).weight;
				nameOf = rest(new Map(late.map((feed) => [feed.name, bind(g, feed, inputs, like, weight)])));
				return { name: nameOf(minimised), dtype: 'float32', shape: [] };
			};
			return {
				fused: (weighted) => onlyLogits(g.reshape(result(weighted), [like.shape[0] as Dim, outputs])),
				ownLoss: ownLoss && ((weighted) => g.reshape(result(weighted), [])),
				auxiliary: () =>
					auxiliary.map((one) =>
						g.reshape({ name: nameOf(one.value), dtype: 'float32', shape: [] }, [like.shape[0] as Dim, auxiliaryWidth(one)]),
					),
				running: () =>
					new Map(
						moving.map(({ initializer, next }, i) => [
							runningName(initializer),
							{ name: nameOf(next), dtype: 'float32', shape: running[i]?.shape ?? [] },
						]),
					),
			};
		},
		predictor: (options) => createPredictor(uploaded, infer, architecture, initializerOf, options),
		ownModel: (numbers) => ownModel(uploaded, all, new Map(state.map(({ name }) => [initializerOf(name), numbers.get(name) as Tensor]))),
	};
	return architecture;
}
