/** What WebGPU found to compute with; null where that is not known. */
export type Adapter = {
	/** What its driver calls it. */
	readonly name: string | null;
	/** Whether it is a processor that plays a GPU. */
	readonly isSoftware: boolean | null;
};

/** Names of drivers, or of what they drive, that have no GPU behind them. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|libvulkan_lvp|basic render driver|warp|mock/i;

/**
 * The adapter that a process took, by what the loader of Vulkan wrote where `VK_LOADER_DEBUG` asked for it: WebGPU itself does not say. On macOS there is none but a real
 * one; on Windows none is known.
 */
export function adapterIn(words: string, platform: NodeJS.Platform = process.platform): Adapter {
	const [, name = null, driver = ''] = /Using "([^"]*)" with driver: "([^"]*)"/.exec(words) ?? [];
	if (name !== null) return { name: name.trim(), isSoftware: SOFTWARE.test(`${name} ${driver}`) };
	return { name: null, isSoftware: platform === 'darwin' ? false : null };
}
