import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import 'onnxruntime-node';
import { RuntimeError, wordsOf } from '../errors.js';

/** An address, or null. */
export type Pointer = unknown;

/**
 * The functions of ONNX Runtime's C interface that are used here, by their place in the table `OrtApi` (onnxruntime_c_api.h), whose places never change, with their
 * arguments; each gives a status, null for success, but for those that say otherwise.
 */
const FUNCTIONS = {
	GetErrorMessage: [2, 'const char *', 'void *'],
	CreateEnv: [3, 'void *', 'int, const char *, _Out_ void **'],
	CreateSessionFromArray: [8, 'void *', 'void *, void *, size_t, void *, _Out_ void **'],
	CreateSessionOptions: [10, 'void *', '_Out_ void **'],
	EnableMemPattern: [16, 'void *', 'void *'],
	DisableMemPattern: [17, 'void *', 'void *'],
	SetSessionLogSeverityLevel: [22, 'void *', 'void *, int'],
	SetSessionGraphOptimizationLevel: [23, 'void *', 'void *, int'],
	SetIntraOpNumThreads: [24, 'void *', 'void *, int'],
	SetInterOpNumThreads: [25, 'void *', 'void *, int'],
	CreateTensorWithDataAsOrtValue: [49, 'void *', 'void *, void *, size_t, void *, size_t, int, _Out_ void **'],
	CreateCpuMemoryInfo: [69, 'void *', 'int, int, _Out_ void **'],
	ReleaseStatus: [93, 'void', 'void *'],
	ReleaseMemoryInfo: [94, 'void', 'void *'],
	ReleaseSession: [95, 'void', 'void *'],
	ReleaseValue: [96, 'void', 'void *'],
	ReleaseSessionOptions: [100, 'void', 'void *'],
	RunWithBinding: [133, 'void *', 'void *, void *, void *'],
	CreateIoBinding: [134, 'void *', 'void *, _Out_ void **'],
	ReleaseIoBinding: [135, 'void', 'void *'],
	BindInput: [136, 'void *', 'void *, const char *, void *'],
	BindOutput: [137, 'void *', 'void *, const char *, void *'],
} as const;

type FunctionName = keyof typeof FUNCTIONS;

/** The version of the interface that is asked for: every later library has it. */
const API_VERSION = 20;
const LAST_PLACE = Math.max(...Object.values(FUNCTIONS).map(([place]) => place));

/** ONNX Runtime's C interface. */
export type CApi = {
	/** Calls a function that gives a status. Throws an Error with ONNX Runtime's words where it fails. */
	do(name: FunctionName, ...args: readonly unknown[]): void;
	/** Calls a function that gives a status and, through its last argument, a pointer. Throws as `do`. */
	make(name: FunctionName, ...args: readonly unknown[]): Pointer;
	/** Releases what `make` gave. */
	release(name: FunctionName, pointer: Pointer): void;
	/** The process's environment of ONNX Runtime, the same one that its JavaScript binding uses. */
	readonly env: Pointer;
};

/** The library that lies beside the binding of onnxruntime-node, which this process has loaded. Throws Error where there is none. */
function libraryPath(): string {
	const loaded = Object.keys(createRequire(import.meta.url).cache);
	const binding = loaded.find((path) => basename(path) === 'onnxruntime_binding.node');
	if (binding === undefined) throw new Error('the binding of onnxruntime-node is not loaded');
	const library = readdirSync(dirname(binding)).find((file) => /^(lib)?onnxruntime(\.[\d.]+)?\.(so(\.\d+)*|dylib|dll)$/.test(file));
	if (library === undefined) throw new Error(`no library of ONNX Runtime lies beside ${binding}`);
	return join(dirname(binding), library);
}

async function opened(): Promise<CApi> {
	const { default: koffi } = await import('koffi');
	const base: Pointer = koffi.load(libraryPath()).func('void *OrtGetApiBase()')();
	const [getApi] = koffi.decode(base, koffi.array('void *', 1)) as Pointer[];
	const api: Pointer = koffi.call(getApi, koffi.proto('void *(uint32_t)'), API_VERSION);
	if (api === null) throw new Error(`the library does not know version ${API_VERSION} of its own interface`);
	const places = koffi.decode(api, koffi.array('void *', LAST_PLACE + 1)) as Pointer[];
	const functions = Object.fromEntries(
		Object.entries(FUNCTIONS).map(([name, [place, gives, takes]]) => [
			name,
			koffi.decode(places[place], koffi.proto(`${gives} (${takes})`)),
		]),
	) as Record<FunctionName, (...args: readonly unknown[]) => unknown>;
	const act: CApi['do'] = (name, ...args) => {
		const status = functions[name](...args);
		if (status === null) return;
		const words = String(functions.GetErrorMessage(status));
		functions.ReleaseStatus(status);
		throw new Error(words);
	};
	const make: CApi['make'] = (name, ...args) => {
		const made: [Pointer] = [null];
		act(name, ...args, made);
		return made[0];
	};
	const FATAL = 4;
	return { do: act, make, release: (name, pointer) => functions[name](pointer), env: make('CreateEnv', FATAL, 'steelyard') };
}

let shared: Promise<CApi> | undefined;

/** The C interface, opened once per process. Throws RuntimeError `native_unavailable` where the library cannot be called here. */
export function cApi(): Promise<CApi> {
	shared ??= opened().catch((error: unknown) => {
		throw new RuntimeError('native_unavailable', wordsOf(error), error);
	});
	return shared;
}

/** Whether the C interface can be called here; where it cannot, the process is warned once. */
export async function hasCApi(): Promise<boolean> {
	try {
		await cApi();
		return true;
	} catch (error) {
		process.emitWarning(`steps are trained more slowly here: ONNX Runtime's C interface cannot be called (${wordsOf(error)})`, {
			code: 'STEELYARD_NO_C_INTERFACE',
		});
		return false;
	}
}
