import { withCudaForms, withoutUnused } from '@steelyard/onnx';
import type { Provider } from '@steelyard/runtime';
import type { Step } from './step.js';

/** The step in operators that the provider has kernels for; those that it has none for would run on the CPU, with copies to it and back in every step. */
export const onProvider = (step: Step, provider: Provider): Step =>
	provider === 'cuda' ? { ...step, graph: withoutUnused(withCudaForms(step.graph)) } : step;
