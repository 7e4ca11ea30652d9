import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

/** Where Debian's package of Chromium has SwiftShader, a GPU in software, with the loader of Vulkan that finds it. */
const FOLDER = '/usr/lib/chromium';
const SWIFTSHADER_ENV = { VK_ICD_FILENAMES: join(FOLDER, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: FOLDER };
/** Keeps a library loaded (RTLD_NODELETE of dlopen in glibc and musl). */
const STAYS = 0x1000;

/** Whether this process can use WebGPU on SwiftShader. The first call makes it so, where the files are there: call it before anything loads WebGPU. */
export function useSwiftShader(): boolean {
	const [driver, loader] = ['vk_swiftshader_icd.json', 'libvulkan.so.1'].map((name) => join(FOLDER, name)) as [string, string];
	if (process.platform !== 'linux' || !existsSync(driver) || !existsSync(loader)) return false;
	// for processes that this one starts, which look for libraries there
	Object.assign(process.env, SWIFTSHADER_ENV);
	try {
		// no module of Node, so this throws; what is loaded then is found by its name when WebGPU asks for it
		process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | STAYS);
	} catch (error) {
		if (!/did not self-register/.test((error as Error).message)) return false;
	}
	return true;
}
