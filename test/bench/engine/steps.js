// Our side of a race: `steps.js ROW THREADS START [VARIANT] [PROVIDER]`. Writes what it starts from into the file START unless it is a variant or not on the CPU, says what it took to compile, then
// answers every line with milliseconds a step, the largest resident size of the process so far in MiB, and the loss of each step of the chunk.
import { createInterface } from 'node:readline';
import { familyTraining } from './families.js';
import { convolution } from './graphs/convolution.js';
import { recurrent } from './graphs/recurrent.js';
import { residual } from './graphs/residual.js';
import { graphTraining } from './graphs/step-program.js';
import { transformer } from './graphs/transformer.js';
import { vitBlock } from './graphs/vit-block.js';
import { rowsOf } from './rows.js';
import { writeStart } from './start-file.js';

const graphs = { transformer, recurrent, convolution, vitBlock, residual };

const [name, threads, start, variant = '', provider = 'cpu'] = process.argv.slice(2);
const [row] = rowsOf([name]);
const options = { threads: Number(threads), provider, ...row.variants?.[variant] };
const { kind, ...sizes } = row.graph ?? {};
const training = row.family ? await familyTraining(row, options) : await graphTraining(row, graphs[kind](sizes), options);
if (variant === '' && provider === 'cpu') await writeStart(start, row, training);
console.log(JSON.stringify(training.compiled));
for await (const _ of createInterface({ input: process.stdin })) {
	const started = performance.now();
	const losses = await training.run();
	const milliseconds = (performance.now() - started) / row.chunk;
	console.log([milliseconds, process.resourceUsage().maxRSS / 1024, ...losses].join(' '));
}
