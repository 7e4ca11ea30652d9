/** The parts of WebAssembly that are used here; TypeScript declares them for browsers alone. */
type WebAssemblyApi = {
	readonly Memory: new (size: { initial: number; maximum: number }) => Memory;
	readonly Module: new (bytes: Uint8Array) => object;
	readonly Instance: new (
		module: object,
		imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
	) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** A memory outside of the JavaScript heap, which never moves. */
export type Memory = { readonly buffer: ArrayBuffer };

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
