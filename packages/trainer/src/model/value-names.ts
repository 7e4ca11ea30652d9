/**
 * Names of values in the graphs that the trainer writes. No other file spells one of these prefixes, and no code reads one back out of a name: what a value is
 * for stands in the type that carries its name (`Port`, `TrainProgram`, `ExportedModel`).
 *
 * `valuesName` and `maskName` are inputs of every exported model, so they are part of what users rely on.
 */
export const valuesName = (modality: string): string => `x.${modality}`;
export const maskName = (modality: string): string => `mask.${modality}`;
export const weightName = (modality: string): string => `w.${modality}`;
/** An output of an exported model with experts; `router` is `<layer>.<router>`. */
export const expertUseName = (router: string): string => `expert_use.${router}`;

export const presenceName = (modality: string): string => `present.${modality}`;
export const embeddingName = (modality: string): string => `embedding.${modality}`;

/** State of a training program: the vector of a group of parameters, and beside it one vector per slot of the optimizer. Predictors take the same names. */
export const parameterStateName = (group: string): string => `state/${group}`;
export const slotStateName = (group: string, slot: string): string => `state/${group}/${slot}`;

/** Inputs of a training step beside the modalities and the state. */
export const TARGET = 'target';
export const LABELS = 'labels';
/** What an auxiliary output is compared with. */
export const targetName = (output: string): string => `target.${output}`;
export const SAMPLE_WEIGHT = 'sample_weight';
export const LOSS_SCALE = 'lossScale';
/** The pool of random numbers; a step takes rows of it, which `drawName` lists for each place that draws. */
export const POOL = 'dropout/pool';
export const drawName = (place: number): string => `dropout.${place}`;

/** Values inside a step. A vector of state goes in under `flatName` or `flatSlotName`, and its next value comes out under `nextName` of that. */
export const flatName = (group: string): string => `flat/${group}`;
export const flatSlotName = (group: string, slot: string): string => `${group}/${slot}`;
export const nextName = (name: string): string => `${name}/next`;
export const statisticName = (statistic: string): string => `next/${statistic}`;
export const modulationName = (modality: string): string => `modulation/${modality}`;
export const reportName = (report: string): string => `step_${report}`;

/** The gradient of a parameter, and the vector of those of a group. */
export const gradientName = (group: string): string => `gradient/${group}`;

/** Values of a program that repeats a step: `[K, …]` of a step's input, the factor of a slot after the K steps, and the state that leaves. */
export const chunkName = (input: string): string => `chunk/${input}`;
export const slotFactorName = (slot: string): string => `after/${slot}`;
export const finalName = (state: string): string => `${state}/final`;
export const nextStateName = (state: string): string => `next/${state}`;
/** Of a step on a device: the last values of a report. */
export const historyName = (report: string): string => `history/${report}`;
export const stackedName = (report: string): string => `scan/${report}`;
