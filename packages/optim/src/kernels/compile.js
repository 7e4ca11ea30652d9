// Writes kernel-bytes.ts from kernels.wat: `node packages/optim/src/kernels/compile.js`.
import { readFileSync, writeFileSync } from 'node:fs';
import openWabt from 'wabt';

/** What kernels.wat is compiled to, in base64. */
export async function compiledKernels() {
	const source = readFileSync(new URL('kernels.wat', import.meta.url), 'utf8');
	const module = (await openWabt()).parseWat('kernels.wat', source, { simd: true });
	return Buffer.from(module.toBinary({}).buffer).toString('base64');
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
	const text = `/** The WebAssembly that kernels.wat is compiled to, in base64; compile.js writes this file. */\nexport const KERNELS =\n\t'${await compiledKernels()}';\n`;
	writeFileSync(new URL('kernel-bytes.ts', import.meta.url), text);
}
