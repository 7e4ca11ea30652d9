// docs/study/results.jsonl: one line a job that succeeded.
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/** @typedef {{dataset: string, condition: string, method: string, seed: number}} Key */
/** @typedef {Record<string, Record<string, number | null>>} SplitMetrics split → metric → value */
/**
 * @typedef {object} Measured
 * @property {SplitMetrics} metrics
 * @property {Record<string, SplitMetrics>} unimodal modality → split → metrics
 * @property {Record<string, {mean: number, p10: number, p90: number}>} weights over the test split
 * @property {number} best_epoch
 * @property {number} epochs
 * @property {number} parameters
 * @property {number} seconds
 * @property {string} data sha256 of the dataset's arrays
 */
/** @typedef {Key & {spec: object} & Measured} Result */

export const keyOf = (/** @type {Key} */ { dataset, condition, method, seed }) => `${dataset}/${condition}/${method}/${seed}`;

/**
 * Reads the results; where a job stands there twice, the later line counts. A last line that was cut off while it was written is taken away.
 * Throws SyntaxError, with the line's number, where another line is no JSON.
 * @param {string} file need not be there
 * @returns {Promise<Map<string, Result>>}
 */
export async function readResults(file) {
	const text = await readFile(file, 'utf8').catch((error) => {
		if (error.code === 'ENOENT') return '';
		throw error;
	});
	const whole = text.slice(0, text.lastIndexOf('\n') + 1);
	if (whole.length < text.length) await writeFile(file, whole);
	const results = new Map();
	for (const [i, line] of whole.split('\n').entries()) {
		if (line === '') continue;
		try {
			const result = JSON.parse(line);
			results.set(keyOf(result), result);
		} catch (error) {
			throw new SyntaxError(`${file}, line ${i + 1}: ${error instanceof Error ? error.message : error}`);
		}
	}
	return results;
}

/** Six significant digits are more than an interval over seeds needs. */
const short = (/** @type {string} */ _, /** @type {unknown} */ value) =>
	typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;

/**
 * @param {string} file
 * @param {Result} result
 */
export async function appendResult(file, result) {
	await mkdir(dirname(file), { recursive: true });
	const { spec, ...measured } = result;
	// The spec is kept to the digit: by it a later run knows whether this is the job that it wants.
	const line = `${JSON.stringify(measured, short).slice(0, -1)},"spec":${JSON.stringify(spec)}}\n`;
	await appendFile(file, line);
}

/**
 * Whether a result is that of the job as it would be posted today.
 * @param {Result | undefined} result
 * @param {object} spec
 */
export const isCurrent = (result, spec) => result !== undefined && isDeepStrictEqual(result.spec, JSON.parse(JSON.stringify(spec)));
