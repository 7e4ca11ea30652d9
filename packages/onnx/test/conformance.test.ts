import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createSession, RuntimeError, type Tensor } from '@steelyard/runtime';
import { ModelProtoSchema, TensorProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { canonicalise, composites, decodeModel, encodeModel, GraphError, OPSET } from '../src/index.js';

/** A model and what it gives; protobuf messages in base64. */
type NodeTest = {
	name: string;
	operator: string;
	model: string;
	/** Inputs that say shapes and axes, as exporters do by constants. */
	constants: string[];
	inputs: string[];
	outputs: string[];
	rtol: number;
};

const casesOf = (file: URL | string): NodeTest[] => JSON.parse(gunzipSync(readFileSync(file)).toString()).cases;
/** Node tests of the ONNX project, made by test/oracles/onnx_nodes.py; ONNX_NODE_TESTS names a file of all, which is too large to be kept here. */
const nodeTests = casesOf(process.env['ONNX_NODE_TESTS'] ?? new URL('fixtures/onnx-nodes.json.gz', import.meta.url));
/** Models of operator sets 7 to 12 and what ONNX Runtime gives for them as they are, made by test/oracles/older_operator_sets.py. */
const olderModels = casesOf(new URL('fixtures/older-operator-sets.json.gz', import.meta.url));

/** Tests that are refused, and why. The runtime lacks some element types, and has no kernel of its own where it says "implementation". */
const refused: Array<[RegExp, RegExp]> = [
	[/^test_(bitcast|image_decoder)/, /operator set 18 does not have/],
	[/^test_basic_deform_conv|^test_deform_conv/, /operator set 18 does not have/],
	[/half_pixel_symmetric$/, /half_pixel_symmetric/],
	[/^test_(compress|nonmaxsuppression|nonzero|unique)/, /not known before it runs/],
	[/^test_(identity|if|loop|optional|sequence)_/, /expected a tensor|is no tensor/],
	[/^test_(dequantizelinear|quantizelinear|qlinearmatmul)/, /block|output_dtype|Type Error|implementation|scalar or 1D/],
	[/^test_(bitshift|isinf|max|min|mod|pow|range|top_k|celu)_/, /Type Error|implementation|fmod/],
	[/^test_convinteger_with_padding/, /ConvInteger/],
	[/^test_maxunpool_export_with_output_shape/, /number of dimensions/],
];

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');
const tensorsOf = (texts: readonly string[]): Map<string, Tensor> => {
	const initializer = texts.map((text) => fromBinary(TensorProtoSchema, bytesOf(text)));
	const model = create(ModelProtoSchema, { opsetImport: [{ version: 18n }], graph: { initializer } });
	return new Map(decodeModel(toBinary(ModelProtoSchema, model)).graph.initializers);
};

function half(bits: number): number {
	const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
	if (exponent === 0) return sign * 2 ** -24 * fraction;
	if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
	return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}
const numbers = ({ dtype, data }: Tensor): number[] =>
	Array.from(data as ArrayLike<number | bigint>, (value) => (dtype === 'float16' ? half(value as number) : Number(value)));

/** The canonical graph's outputs by name. */
async function outputsOf(test: NodeTest): Promise<Record<string, Tensor>> {
	const model = decodeModel(bytesOf(test.model));
	const constants = tensorsOf(test.constants);
	const feeds = tensorsOf(test.inputs);
	const inputs = model.graph.inputs.filter(({ name }) => !constants.has(name));
	const dims = Object.fromEntries(
		inputs
			.flatMap(({ name, shape }) => shape.map((dim, axis) => [dim, feeds.get(name)?.shape[axis]]))
			.filter(([dim]) => typeof dim === 'string'),
	);
	const initializers = new Map([...model.graph.initializers, ...constants]);
	const graph = await canonicalise({ ...model, graph: { ...model.graph, inputs, initializers } }, { dims });
	expect(graph.nodes.filter(({ op }) => Object.hasOwn(composites, op))).toEqual([]);
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return await session.run(Object.fromEntries(feeds));
	} finally {
		await session.release();
	}
}

describe.each([
	['the node tests of the ONNX project', nodeTests],
	['models of older operator sets', olderModels],
])('%s', (_, cases) => {
	it.each(cases.map((test) => [test.name, test] as const))('%s', async (name, test) => {
		const reason = refused.find(([pattern]) => pattern.test(name))?.[1];
		const outcome = await outputsOf(test).catch((error: unknown) => error as Error);
		if (outcome instanceof Error) {
			if (reason === undefined || !(outcome instanceof GraphError || outcome instanceof RuntimeError)) throw outcome;
			expect(outcome.message).toMatch(reason);
			return;
		}
		for (const [output, wanted] of tensorsOf(test.outputs)) {
			const given = outcome[output] as Tensor;
			expect([given.dtype, given.shape]).toEqual([wanted.dtype, wanted.shape]);
			const expected = numbers(wanted);
			// The tolerance that ONNX gives the test, of the largest number: sums of a transform cancel. Half precision has 11 bits.
			const scale = Math.max(1e-2, ...expected.map(Math.abs).filter(Number.isFinite));
			const [rtol, atol] = wanted.dtype === 'float16' ? [4e-3, 2e-3 * scale] : [test.rtol, 2e-6 * scale];
			numbers(given).forEach((value, i) => {
				const target = expected[i] as number;
				if (Object.is(value, target) || value === target) return;
				expect(Math.abs(value - target), `${output}[${i}] = ${value}, expected ${target}`).toBeLessThanOrEqual(
					atol + rtol * Math.abs(target),
				);
			});
		}
	});
});
