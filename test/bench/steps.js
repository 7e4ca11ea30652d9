// Our side of the bench's training steps: `steps.js NAME`. Says first what it took to compile, then answers every line with milliseconds a step and the largest
// resident size of the process so far in MiB.
import { createInterface } from 'node:readline';
import { families, familySteps } from './families.js';
import { convolution } from './graphs/convolution.js';
import { recurrent } from './graphs/recurrent.js';
import { stepProgram, trainer } from './graphs/step-program.js';
import { transformer } from './graphs/transformer.js';

const graphs = {
	transformer: { steps: 4, graph: () => transformer({ layers: 4 }) },
	deep: { steps: 2, graph: () => transformer({ layers: 12 }) },
	recomputing: { steps: 2, graph: () => transformer({ layers: 12 }), options: { recompute: 'segments' } },
	convolution: { steps: 10, graph: () => convolution() },
	lstm: { steps: 50, graph: () => recurrent() },
};

const name = process.argv[2];
let step;
if (Object.hasOwn(families, name)) {
	step = await familySteps(name);
	console.log('{}');
} else {
	const { steps, graph, options } = graphs[name];
	const compiled = await stepProgram(graph(), options);
	step = trainer(compiled, steps);
	console.log(JSON.stringify({ milliseconds: compiled.milliseconds, counts: compiled.counts }));
}
for await (const _ of createInterface({ input: process.stdin })) {
	const milliseconds = await step();
	console.log(`${milliseconds} ${process.resourceUsage().maxRSS / 1024}`);
}
