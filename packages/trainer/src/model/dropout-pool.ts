import { counterRandom } from '@steelyard/random';
import { type Tensor, tensor } from '@steelyard/runtime';

/** Random numbers, `[POOL_ROWS, POOL_WIDTH]`: each dropout of each step is cut from rows of them, chosen at random. */
export const POOL_ROWS = 4096;
export const POOL_WIDTH = 64;

/** Rows of the pool that hold `count` numbers. */
export const poolRows = (count: number): number => Math.ceil(count / POOL_WIDTH);

/** Where the random numbers of a chunk come from: the seed, which model of the job, and the step at which the chunk begins. */
export type ChunkPlace = { readonly seed: number; readonly stream: number; readonly step: number };

/** Steps after which the pool is drawn anew: drawing it costs as much as many small steps. */
const POOL_STEPS = 256;

/** Which pool a chunk has, by the step at which it begins. */
export const poolOf = (step: number): number => Math.floor(step / POOL_STEPS);

/** The pool of a chunk: uniform over [0, 1). */
export function drawPool({ seed, stream, step }: ChunkPlace): Tensor {
	const random = counterRandom(seed, `dropout/pool/${stream}/${poolOf(step)}`);
	const data = new Float32Array(POOL_ROWS * POOL_WIDTH);
	for (let i = 0; i < data.length; i++) data[i] = (random.uint32() >>> 8) / 2 ** 24;
	return tensor('float32', [POOL_ROWS, POOL_WIDTH], data);
}

/** For each site the rows of the pool that each step of a chunk takes, `[steps, rows]`; a function of seed, step and site. */
export function drawRows({ seed, stream, step }: ChunkPlace, steps: number, sites: readonly number[]): Tensor[] {
	return sites.map((rows, site) => {
		const data = new BigInt64Array(steps * rows);
		for (let j = 0; j < steps; j++) {
			const random = counterRandom(seed, `dropout/rows/${stream}/${step + j}/${site}`);
			for (let i = 0; i < rows; i++) data[j * rows + i] = BigInt(random.below(POOL_ROWS));
		}
		return tensor('int64', [steps, rows], data);
	});
}
