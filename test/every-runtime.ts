import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { arrayTypeOf, createSession, type DType, type StringTensor, type Tensor, tensor } from '@steelyard/runtime';

const exec = promisify(execFile);

type WasmTensor = { data: ArrayLike<number | bigint> };
type WasmSession = { run(feeds: Record<string, WasmTensor>): Promise<Record<string, WasmTensor>>; release(): Promise<void> };
type Wasm = {
	env: { wasm: { numThreads: number } };
	Tensor: new (type: string, data: unknown, dims: readonly number[]) => WasmTensor;
	InferenceSession: { create(model: Uint8Array, options?: { logSeverityLevel: number }): Promise<WasmSession> };
};

/** ONNX Runtime 1.19.2 as WebAssembly: another build of another version, in which nothing of ours runs. Its package hides the file from Node, hence the path. */
export async function wasmRuntime(): Promise<Wasm> {
	const dist = fileURLToPath(new URL('./node_modules/onnxruntime-training-web/dist/ort.training.wasm.min.mjs', import.meta.url));
	const ort = (await import(pathToFileURL(realpathSync(dist)).href)) as Wasm;
	ort.env.wasm.numThreads = 1;
	return ort;
}

const PYTHON = process.env['STEELYARD_PYTHON'] || 'python3';
const loading = `
import sys, onnxruntime
onnxruntime.set_default_logger_severity(4)
for path in sys.argv[1:]:
    try: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error: print(path + ": " + str(error).splitlines()[0])
`;

const running = `
import base64, json, sys, numpy, onnxruntime
onnxruntime.set_default_logger_severity(4)
for run in json.load(sys.stdin):
    session = onnxruntime.InferenceSession(run["path"], providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    feeds = {name: numpy.array(data, object).reshape(shape) if dtype == "string" else numpy.frombuffer(base64.b64decode(data), dtype).reshape(shape) for name, (dtype, shape, data) in run["feeds"].items()}
    found = zip(names, session.run(names, feeds))
    print(json.dumps({name: [str(one.dtype), one.shape, base64.b64encode(one.tobytes()).decode()] for name, one in found}))
`;

/** A tensor as its type, shape and bytes, or its strings. */
type Written = readonly [dtype: DType, shape: number[], base64: string];
type WrittenStrings = readonly [dtype: 'string', shape: number[], strings: readonly string[]];
const written = (value: Tensor | StringTensor): Written | WrittenStrings => {
	const { dtype, shape, data } = value;
	if (dtype === 'string') return ['string', [...shape], data as readonly string[]];
	const { buffer, byteOffset, byteLength } = data as Tensor['data'];
	return [dtype, [...shape], Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64')];
};
const readBack = ([dtype, shape, base64]: Written): Tensor => {
	const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
	return tensor(dtype, shape, new (arrayTypeOf(dtype))(bytes.buffer));
};

const hasPython = (): Promise<boolean> =>
	exec(PYTHON, ['-c', 'import onnxruntime']).then(
		() => true,
		() => false,
	);

/** What each model gives for its inputs in the runtime of Python; null where there is no Python that has onnxruntime. */
export async function pythonRuns(
	runs: readonly { bytes: Uint8Array; feeds: Readonly<Record<string, Tensor | StringTensor>> }[],
): Promise<Record<string, Tensor>[] | null> {
	if (!(await hasPython())) return null;
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	try {
		const paths = runs.map((_, i) => join(folder, `${i}.onnx`));
		for (const [i, { bytes }] of runs.entries()) await writeFile(paths[i] as string, bytes);
		const python = exec(PYTHON, ['-c', running], { maxBuffer: 2 ** 28 });
		const feeds = runs.map((one) => Object.fromEntries(Object.entries(one.feeds).map(([name, value]) => [name, written(value)])));
		python.child.stdin?.end(JSON.stringify(paths.map((path, i) => ({ path, feeds: feeds[i] }))));
		const lines = (await python).stdout.split('\n').filter((line) => line !== '');
		return lines.map((line) =>
			Object.fromEntries(Object.entries(JSON.parse(line) as Record<string, Written>).map(([name, value]) => [name, readBack(value)])),
		);
	} finally {
		await rm(folder, { recursive: true });
	}
}

/** What Python's runtime says against the files; null where there is no Python that has onnxruntime. */
async function refusedByPython(paths: readonly string[]): Promise<string[] | null> {
	if (!(await hasPython())) return null;
	const { stdout } = await exec(PYTHON, ['-c', loading, ...paths]);
	return stdout.split('\n').filter((line) => line !== '');
}

/**
 * What the runtimes say against models, by title, when a session is made as everybody makes it, with all optimisations: Node's, the older one in WebAssembly and,
 * where there is one, that of Python (`STEELYARD_PYTHON`, else python3). Nothing where every model loads.
 */
export async function refusedBySomeRuntime(models: Readonly<Record<string, Uint8Array>>): Promise<string[]> {
	const found: string[] = [];
	const wasm = await wasmRuntime();
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	try {
		const paths: string[] = [];
		for (const [title, bytes] of Object.entries(models)) {
			const refuse = (where: string) => (error: unknown) => void found.push(`${title} in ${where}: ${(error as Error).message}`);
			await createSession(bytes, { optimisation: 'all' }).then((session) => session.release(), refuse('Node'));
			await wasm.InferenceSession.create(new Uint8Array(bytes), { logSeverityLevel: 4 }).then(
				(session) => session.release(),
				refuse('WebAssembly'),
			);
			const path = join(folder, `${title.replaceAll(/\W/g, '-')}.onnx`);
			await writeFile(path, bytes);
			paths.push(path);
		}
		found.push(...((await refusedByPython(paths)) ?? []));
	} finally {
		await rm(folder, { recursive: true });
	}
	return found;
}
