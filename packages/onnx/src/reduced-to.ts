import { withoutUnused } from './bodies.js';
import type { Graph, Value } from './graph.js';

/** The part of a graph that makes `outputs`: these are its outputs, and only the nodes and initializers that they need are left. All inputs stay. */
export const reducedTo = (graph: Graph, outputs: readonly Value[]): Graph => withoutUnused({ ...graph, outputs });
