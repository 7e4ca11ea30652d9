import type { Standardisation } from '@steelyard/dataset';
import type { Fused, ModalityShape } from '@steelyard/family';
import type { Graph, GraphBuilder, Value } from '@steelyard/onnx';
import type { Provider, Session, Tensor } from '@steelyard/runtime';
import type { AuxiliaryOutput } from './auxiliary-output.js';
import type { Examples, MaskKind, TargetScale } from './examples.js';
import type { PositionLogits, VisitOutputs } from './position-logits.js';

/** A float32 tensor of a model; where it is `exact`, its products are computed in float32 whatever the precision of training is. */
export type ParameterShape = { readonly name: string; readonly shape: readonly number[]; readonly exact?: true };

export type ForwardInputs = {
	/** `[batch, …shape]` by modality: float32 where it is standardised, else the raw values in the type of the dataset. */
	x: (modality: string) => Value;
	/** `[batch, steps]` or `[batch, 1]`, asked for the modalities of `masks` only. */
	mask: (modality: string) => Value;
	/** `[batch, labels]`, where `ownLoss` takes any. */
	labels?: Value;
	/** Parameters and running statistics. */
	parameter: (name: string) => Value;
	/** In mode `train` where the architecture has dropouts: random numbers, and the rows of them that each takes. */
	random?: { readonly pool: Value; readonly rows: readonly Value[] };
};

/** `train`: as a step of training computes it, which moves the running statistics; `infer`: as validation and the exported model do. */
export type ForwardMode = 'train' | 'infer';

/** `fixedSizes`: whether the sizes of all values must be known before a run, as WebGPU wants it; they need not unless given. */
export type ForwardOptions = { readonly scope: string; readonly mode: ForwardMode; readonly fixedSizes?: boolean };

/** How much a modality counts in each row, and 1 where the row has it, else 0: `[batch, 1]` each. Where the presence is 0 the weight is 0. */
export type WeightAndPresence = { readonly weight: Value; readonly present: Value };

/** A forward pass with the encoders in place. */
export type Forward = {
	/** Adds the rest of the pass for the weight and the presence of each modality. */
	readonly fused: (modalities: readonly WeightAndPresence[]) => Fused;
	/** In mode `train`, in the place of `fused`: the loss that an uploaded graph computes itself, a scalar; null where the loss follows from the logits. */
	readonly ownLoss: ((modalities: readonly WeightAndPresence[]) => Value) | null;
	/** After `fused`: what each auxiliary output gives, `[batch, positions · classes]`. */
	readonly auxiliary: () => readonly Value[];
	/** After `fused` or `ownLoss` in mode `train`: the running statistics that the step leaves, by name. */
	readonly running: () => ReadonlyMap<string, Value>;
};

/** Parameters and running statistics as a training program keeps them: the flat vector `[1, size]` of each group, by the group's name. */
export type Parameters = ReadonlyMap<string, Tensor>;

/** Runs the forward pass of one architecture under changing parameters and weights. */
export type Predictor = {
	/** Encodes the examples once. The function that comes back gives logits, or raw values for regression (quantiles in rising order), `[N, outputs]`, under weights `[N, M]`. */
	encode(examples: Examples, parameters: Parameters): Promise<(weights: Float32Array) => Promise<Float32Array>>;
	/** Of an uploaded graph, visits the same logits batch by batch, of which not all are held at once, and returns the loss that the graph computes itself (see `OwnModel`); null for built-in families. */
	readonly visit:
		| ((examples: Examples, parameters: Parameters, weights: Float32Array, visit: VisitOutputs) => Promise<number | null>)
		| null;
	dispose(): Promise<void>;
};

export type PredictorOptions = {
	readonly standardisation: ReadonlyMap<string, Standardisation>;
	readonly scale: TargetScale;
	/** Whether the outputs of a row are put in rising order, as quantiles that cross are. */
	readonly ascending: boolean;
	readonly provider: Provider;
	readonly threads: number;
	/** Makes a session, of which a run takes one batch, heed a stop: its runs throw then. */
	readonly stoppable: (session: Session) => Session;
};

/** The file that a user uploaded, with trained numbers in it. */
export type OwnModel = {
	readonly bytes: Uint8Array;
	/** The initializers of floating type that training changed by gradients, and those that stayed as they were. */
	readonly initializers: { readonly trained: readonly string[]; readonly kept: readonly string[] };
	/** A and B of every low-rank update that `bytes` holds, by the name of the matrix and `.lora_A` or `.lora_B`; null where the job trains none. */
	readonly adapters: ReadonlyMap<string, Tensor> | null;
	/** The same, with the logits or values and its own loss among its outputs: `bytes` itself where these are what it gives. */
	readonly judged: Uint8Array;
	/**
	 * Runs a session on `judged`, under weights `[N, M]`, and visits what it gives batch by batch. Returns the loss that the graph computes itself: the mean over batches,
	 * weighted by their rows; null where the examples make up no batch, and where the graph computes none.
	 */
	readonly visit: (session: Session, examples: Examples, weights: Float32Array, visit: VisitOutputs) => Promise<number | null>;
};

/** A model to train: what the training program, validation and the export need of it. */
export type Architecture = {
	readonly modalities: readonly ModalityShape[];
	/** Logits per row. */
	readonly outputs: number;
	/** The output of an uploaded graph that gives them, or their probabilities; null where the job takes only its own loss, and for built-in families. */
	readonly output: string | null;
	/** The output of an uploaded graph that gives probabilities, and the operator that makes them of the logits; null where the model gives the logits. */
	readonly probabilities: { readonly output: string; readonly operator: string } | null;
	/** How they lie where positions have labels; null where each row has one label. */
	readonly positions: PositionLogits | null;
	/** The output in which an uploaded graph computes its loss itself, and how many labels of a row that takes; null where the loss follows from the logits. */
	readonly ownLoss: { readonly output: string; readonly labels: number } | null;
	/** Further outputs that are trained, of an uploaded graph. */
	readonly auxiliary: readonly AuxiliaryOutput[];
	/** Which modalities the forward pass wants a mask of, and of what. */
	readonly masks: ReadonlyMap<string, MaskKind>;
	/** What gradients train, in the order of the exported model. */
	readonly parameters: readonly ParameterShape[];
	/** The modality whose encoder alone a parameter belongs to; null for others, and where the encoders are not known. */
	readonly encoderOf: (parameter: string) => string | null;
	/** The name under which a parameter or a running statistic is kept for other jobs, whatever else these train: for an uploaded graph that of its initializer. */
	readonly storedName: (name: string) => string;
	/** Running statistics: what training steps move without a gradient. */
	readonly running: readonly ParameterShape[];
	/** How many rows of the pool each of its dropouts takes in a step of `batch` rows. */
	readonly dropouts: (batch: number) => readonly number[];
	/** The operator set of the nodes that `forward` adds. */
	readonly opset: number;
	/** The one size of a batch that the model takes; null where it takes any. */
	readonly fixedBatch: number | null;
	/** What fills up a last batch that is too short: rows of zeros, or its own rows again where rows of zeros could change what the model makes of the others. */
	readonly padding: 'zeros' | 'repeat';
	/** Values of `parameters` and `running` before the first step. */
	readonly initial: (seed: number, stream: number) => ReadonlyMap<string, ArrayLike<number>>;
	/** Multiply-adds of one training step, about, given its canonical forward graph. */
	readonly work: (graph: Graph, batch: number) => number;
	/** Adds the model to `g`; names that it gives begin with `scope`. */
	readonly forward: (g: GraphBuilder, inputs: ForwardInputs, options: ForwardOptions) => Forward;
	readonly predictor: (options: PredictorOptions) => Promise<Predictor>;
	/** The file that the user gave with these parameters in place of its own; null for built-in families. */
	readonly ownModel: ((parameters: ReadonlyMap<string, Tensor>) => OwnModel) | null;
};
