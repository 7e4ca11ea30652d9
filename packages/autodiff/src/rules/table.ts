import type { Rules } from '../rule.js';
import { control } from './control.js';
import { convolve } from './convolve.js';
import { elementwise } from './elementwise.js';
import { fourier } from './fourier.js';
import { gridSample } from './grid-sample.js';
import { indexOfValues } from './index-of-values.js';
import { matmul } from './matmul.js';
import { normalize } from './normalize.js';
import { pool } from './pool.js';
import { quantize, quantizeNotes } from './quantize.js';
import { recurrent } from './recurrent.js';
import { reduce } from './reduce.js';
import { resize } from './resize.js';
import { scatter } from './scatter.js';
import { shape } from './shape.js';
import { zeroGradient } from './zero-gradient.js';

/** Every rule by operator. */
export const rules: Rules = {
	...elementwise,
	...matmul,
	...reduce,
	...shape,
	...normalize,
	...indexOfValues,
	...convolve,
	...pool,
	...control,
	...recurrent,
	...scatter,
	...resize,
	...gridSample,
	...quantize,
	...fourier,
};

/** Operators through which no gradient flows. */
export const zeros: Rules = zeroGradient;

/** What one would not expect of a rule by the name of its operator. */
export const notes: Readonly<Record<string, string>> = quantizeNotes;
