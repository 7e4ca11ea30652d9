// Brings into out/cuda what the tests of this folder need, about 300 MB: `node test/cuda/bring.js`. Exit code 1, with the reason, where it cannot be had.
import { standIn } from './stand-in.js';

const { absent } = await standIn({ bring: true });
if (absent !== undefined) {
	console.error(absent);
	process.exitCode = 1;
}
