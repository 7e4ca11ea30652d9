import type { PlateauState } from '@steelyard/optim';
import type { State } from '@steelyard/runtime';
import type { Parameters } from '../model/architecture.js';
import type { LossScaling } from '../step/loss-scaling.js';

/** An epoch, counted from 0, and its validation score. */
export type ScoredEpoch = { readonly epoch: number; readonly score: number };

/** How far the training of one model has come; with `FitTensors` it is all that is needed to go on. Plain JSON. */
export type FitState = {
	/** Whole epochs done, chunks done of the running one, and steps done of the running chunk. */
	epoch: number;
	chunk: number;
	step: number;
	/** Sum of the losses of the running epoch's rows. */
	lossSum: number;
	best: ScoredEpoch | null;
	/** The best of the epochs that were not eligible. */
	passedOver: ScoredEpoch | null;
	/** Epochs since the best one. */
	badEpochs: number;
	plateau: PlateauState;
	/** Where the precision is float16: the scale of the loss, and rows of the running epoch that `lossSum` leaves out, because the loss of their step was not finite. */
	scaling?: LossScaling;
	leftOut?: number;
};

/** The tensors of a model in training: the state of its program, and the parameters of its best epochs so far. */
export type FitTensors = {
	readonly state: State;
	readonly best: Parameters;
	/** Of the best epoch that was not eligible; empty where these are not kept, or before there is one. */
	readonly passedOver: Parameters;
};
