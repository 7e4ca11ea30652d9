import { Type } from 'typebox';
import { choice } from '../choice.js';
import { ProblemError } from '../problems.js';

/** The fields of a config that describe a sparse mixture of experts, and the dropout. */
export const expertFields = ({ hidden }: { readonly hidden: number }) => ({
	experts: Type.Integer({
		minimum: 1,
		maximum: 256,
		default: 16,
		description: 'experts of each layer; with the router disjoint, of each layer and modality',
	}),
	top_k: Type.Integer({ minimum: 1, maximum: 256, default: 2, description: 'experts that an embedding goes to' }),
	expert_hidden: Type.Integer({ minimum: 1, maximum: 16_384, default: hidden, description: 'width inside an expert' }),
	router: choice(['joint', 'permod', 'disjoint'], {
		default: 'permod',
		description: 'joint: one router for all modalities; permod: one per modality; disjoint: one per modality, with experts of its own',
	}),
	gate: choice(['softmax', 'laplace', 'gaussian'], {
		default: 'laplace',
		description: 'the score of an expert w for an embedding x: x·w (softmax), −‖x − w‖ (laplace) or −‖x − w‖²/2 (gaussian)',
	}),
	noisy: Type.Boolean({ default: true, description: 'whether training adds noise of a learned size to the scores of the experts' }),
	balance: Type.Number({ minimum: 0, maximum: 10, default: 0.01, description: 'factor of the load-balance loss in the training loss' }),
	dropout: Type.Number({
		minimum: 0,
		exclusiveMaximum: 1,
		default: 0.1,
		description: 'probability with which training drops a number inside a layer',
	}),
});

/** An embedding cannot go to more experts than there are. */
export function* expertProblems({ top_k, experts }: { readonly top_k: number; readonly experts: number }): Iterable<ProblemError> {
	if (top_k > experts)
		yield new ProblemError('invalid_request', `model.top_k must be at most model.experts (${experts}), found ${top_k}`, 'model.top_k');
}
