import type { Rules } from '../rule.js';
import { control } from './control.js';
import { convolve } from './convolve.js';
import { elementwise, zeroGradient } from './elementwise.js';
import { indexOfValues } from './index-of-values.js';
import { matmul } from './matmul.js';
import { normalize } from './normalize.js';
import { pool } from './pool.js';
import { recurrent } from './recurrent.js';
import { reduce } from './reduce.js';
import { shape } from './shape.js';

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
};

/** Operators through which no gradient flows. */
export const zeros: Rules = zeroGradient;
