// Holds one export of the zoo against autograd. A process that answers each message { folder, exporter } with the outcome of that export.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { differentiateModel, GraphError, inspectModel } from '@steelyard/model-file';
import { createSession, RuntimeError } from '@steelyard/runtime';
import { readTensors } from './tensors.js';

/**
 * How far a gradient in float32 may be from autograd in float64, as a share of the largest element of its parameter: some hundred roundings of 6e-8 in each of some
 * hundred layers come to less. A gradient that is exactly 0, as of the bias of a key, is left with roundings of the largest gradient of the network. Where PyTorch
 * itself is further from float64, so may we be.
 */
const OF_PARAMETER = 1e-3;
const OF_NETWORK = 1e-6;
const OF_PYTORCH = 5;
const OF_LOSS = 1e-4;

/** Which parameters, buffers and constants are trained that should not be, and which parameters are not. Their names. */
function trainedSet(report, tensors, inspected) {
	/** @type {Record<string, string[]>} */
	const sets = { buffers: [], constants: [], frozen: [], untrained: [], lost: [] };
	const owner = owners(report);
	const held = new Set();
	for (const { name, trainable } of inspected) {
		const places = tensors[`index/${name}`]?.data;
		if (places === undefined) {
			if (trainable) sets[report.buffers.includes(name) ? 'buffers' : 'constants']?.push(name);
			continue;
		}
		const here = new Set([...places].flatMap((place) => (place < 0 ? [] : [owner(place)])));
		for (const parameter of here) held.add(parameter);
		const learns = [...here].some((parameter) => parameter.requiresGrad);
		if (learns && !trainable) sets.untrained?.push(name);
		if (!learns && trainable) sets.frozen?.push(name);
	}
	for (const parameter of report.parameters)
		if (parameter.used && parameter.requiresGrad && !held.has(parameter)) sets.lost?.push(parameter.path);
	return sets;
}

/** The parameter in whose row of `gradient` a place lies. */
function owners(report) {
	const ends = [];
	let at = 0;
	for (const { size } of report.parameters) ends.push((at += size));
	return (/** @type {number} */ place) => {
		let [low, high] = [0, ends.length - 1];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (place < ends[middle]) high = middle;
			else low = middle + 1;
		}
		return report.parameters[low];
	};
}

/** The parameter whose gradient is furthest from autograd's, as a share of what is allowed. */
function compare(report, tensors, outputs, wrt) {
	const truth = tensors.gradient.data;
	const found = new Float64Array(truth.length);
	const covered = new Uint8Array(truth.length);
	for (const name of wrt) {
		const places = tensors[`index/${name}`]?.data;
		const gradient = outputs[`grad/${name}`].data;
		places?.forEach((place, i) => {
			if (place < 0) return;
			found[place] += gradient[i];
			covered[place] = 1;
		});
	}
	const largest = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
	let worst = { share: 0, where: '', compared: 0 };
	let begin = 0;
	report.parameters.forEach(({ path, size, requiresGrad, used }, index) => {
		const end = begin + size;
		let [difference, scale, any] = [0, 0, false];
		for (let i = begin; i < end; i++) {
			if (!covered[i]) continue;
			any = true;
			const distance = Math.abs(found[i] - truth[i]);
			difference = Math.max(difference, Number.isNaN(distance) ? Infinity : distance);
			scale = Math.max(scale, Math.abs(truth[i]));
		}
		begin = end;
		// what runs under no_grad has no gradient in PyTorch, and the file does not show it
		if (!any || !requiresGrad || !used) return;
		const allowed = Math.max(OF_PARAMETER * scale + OF_NETWORK * largest, OF_PYTORCH * tensors.error.data[index]);
		const share = difference === 0 ? 0 : difference / allowed;
		worst = share > worst.share ? { share, where: path, compared: worst.compared + 1 } : { ...worst, compared: worst.compared + 1 };
	});
	return worst;
}

const wordsOf = (/** @type {unknown} */ error) => String(error instanceof Error ? error.message : error).slice(0, 500);

async function check(folder, exporter) {
	const report = JSON.parse(await readFile(join(folder, `${exporter}.json`), 'utf8'));
	if (report.failed !== undefined) return { status: report.failed, detail: report.words };
	const bytes = new Uint8Array(await readFile(join(folder, `${exporter}.onnx`)));
	const tensors = await readTensors(join(folder, `${exporter}.safetensors`));
	const inspected = await inspectModel(bytes);
	const blockers = inspected.blockers.map(({ code, message }) => `${code}: ${message}`.slice(0, 500));
	let made;
	try {
		made = await differentiateModel(bytes, { loss: 'loss' });
	} catch (error) {
		if (!(error instanceof GraphError || error instanceof RuntimeError)) throw error;
		return { status: 'refused', detail: `${error.code}: ${wordsOf(error)}`, blockers };
	}
	await writeFile(join(folder, `${exporter}.gradients.onnx`), made.bytes);
	const sets = trainedSet(report, tensors, inspected.parameters);
	let refusal = null;
	await createSession(made.bytes, { optimisation: 'all' }).then(
		(session) => session.release(),
		(error) => {
			refusal = wordsOf(error);
		},
	);
	// run as jobs run it: the rounding of the runtime's fused convolutions moves the input of a ReLU across 0 now and then, and with it a gradient by per cents
	const session = await createSession(made.bytes);
	const feeds = Object.fromEntries(session.inputs.map(({ name }) => [name, tensors[`input/${name}`]]));
	let outputs;
	try {
		outputs = await session.run(/** @type {any} */ (feeds));
	} catch (error) {
		return { status: 'run', detail: wordsOf(error), sets };
	} finally {
		await session.release();
	}
	const loss = { found: Number(outputs.loss?.data[0]), expected: Number(tensors.loss?.data[0]) };
	const gradients = compare(report, tensors, outputs, made.wrt);
	const figures = { loss, gradients, sets, blockers, precision: report.precision, options: report.options };
	if (!(Math.abs(loss.found - loss.expected) <= OF_LOSS * (1e-3 + Math.abs(loss.expected))))
		return { status: 'loss', detail: `${loss.found}, expected ${loss.expected}`, ...figures };
	if (!(gradients.share <= 1))
		return { status: 'gradients', detail: `${gradients.where} by ${gradients.share.toFixed(1)} of the tolerance`, ...figures };
	if (refusal !== null) return { status: 'load', detail: refusal, ...figures };
	const wrong = ['buffers', 'constants', 'untrained'].flatMap((kind) =>
		sets[kind].length > 0 ? [`${kind} ${sets[kind].slice(0, 5).join(', ')}`] : [],
	);
	if (wrong.length > 0) return { status: 'trained', detail: wrong.join('; '), ...figures };
	if (blockers.length > 0) return { status: 'inspect', detail: blockers[0], ...figures };
	return { status: 'passes', detail: '', ...figures };
}

process.on('message', async ({ folder, exporter }) => {
	let outcome;
	try {
		outcome = await check(folder, exporter);
	} catch (error) {
		outcome = { status: 'fault', detail: error instanceof Error ? `${error.stack}`.slice(0, 800) : String(error) };
	}
	process.send?.(outcome);
});
