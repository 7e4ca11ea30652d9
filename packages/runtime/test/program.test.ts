import { loadProgram } from '../src/index.js';
import { describeProgram } from './program-suite.js';

describeProgram('a program on onnxruntime-node', loadProgram);
