import { realpathSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type OrtOptimizer, optimizerModel, PARAMETERS, SIZES, trainingModel } from './artifacts.js';
import { checkpointOf, type Parameter } from './checkpoint.js';

type OrtTensor = { readonly data: ArrayLike<number> };
type TrainingSession = {
	runTrainStep(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
	runOptimizerStep(options: { logSeverityLevel: number }): Promise<void>;
	lazyResetGrad(): Promise<void>;
	release(): Promise<void>;
};
type Ort = {
	env: { wasm: { numThreads: number } };
	Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
	TrainingSession: {
		create(
			artifacts: { checkpointState: Uint8Array; trainModel: Uint8Array; optimizerModel: Uint8Array },
			options: { executionProviders: string[]; logSeverityLevel: number },
		): Promise<TrainingSession>;
	};
};

/** The last build of ONNX Runtime with its training API. The package hides the file from Node, hence the path; with more than one thread it would not load. */
async function trainingRuntime(): Promise<Ort> {
	const file = fileURLToPath(new URL('../node_modules/onnxruntime-training-web/dist/ort.training.wasm.min.mjs', import.meta.url));
	const ort = (await import(pathToFileURL(realpathSync(file)).href)) as Ort;
	ort.env.wasm.numThreads = 1;
	return ort;
}

/** Without this the runtime warns at every step of the shape that its own SGD gives. */
const ERRORS = 3;

export type Batch = { readonly x: Float32Array; readonly labels: readonly number[] };
/** Parameters by name, as they were before each step and after the last one: an entry more than steps. */
export type Course = { readonly losses: number[]; readonly parameters: Record<string, Float32Array>[] };

/** Trains `steps` steps with ONNX Runtime's own gradient operators and optimizer. */
export async function trainInOrt(
	optimizer: OrtOptimizer,
	start: readonly Parameter[],
	{ x, labels }: Batch,
	steps: number,
): Promise<Course> {
	const ort = await trainingRuntime();
	const artifacts = { checkpointState: checkpointOf(start), trainModel: trainingModel(), optimizerModel: optimizerModel(optimizer) };
	const session = await ort.TrainingSession.create(artifacts, { executionProviders: ['wasm'], logSeverityLevel: ERRORS });
	try {
		// in the order of the model's inputs: the runtime goes by it
		const feeds = {
			x: new ort.Tensor('float32', x, [SIZES.batch, SIZES.features]),
			y: new ort.Tensor('int64', BigInt64Array.from(labels, BigInt), [SIZES.batch]),
		};
		const course: Course = { losses: [], parameters: [] };
		for (let step = 0; step <= steps; step++) {
			const outputs = await session.runTrainStep(feeds);
			course.losses.push(outputs['loss']!.data[0]!);
			course.parameters.push(Object.fromEntries(PARAMETERS.map(({ name }) => [name, Float32Array.from(outputs[`${name}/before`]!.data)])));
			await session.runOptimizerStep({ logSeverityLevel: ERRORS });
			await session.lazyResetGrad();
		}
		return course;
	} finally {
		await session.release();
	}
}
