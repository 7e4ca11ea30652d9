// Loaded by `node --import`: has every module load the copy of onnxruntime-node that stand-in.js made, which STEELYARD_CUDA_RUNTIME names.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';

const url = pathToFileURL(`${process.env.STEELYARD_CUDA_RUNTIME}/dist/index.js`).href;
const hooks = `export const resolve = (name, context, next) => name === 'onnxruntime-node' ? { url: ${JSON.stringify(url)}, shortCircuit: true, format: 'commonjs' } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
