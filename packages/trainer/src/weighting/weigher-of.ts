import type { TaskProfile, WeightingPreset } from '@steelyard/contracts';
import { PRESETS } from './presets.js';
import type { Weigher, WeightingPresetOf } from './weigher.js';

type Choices = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Choices => typeof value === 'object' && value !== null;

/** The defaults with what is chosen instead, also inside a choice that is an object, such as `smoothing`. */
function overridden(defaults: Choices, chosen: Choices): Choices {
	const merged = Object.entries(chosen).map(([name, choice]) => {
		const own = defaults[name];
		return [name, isObject(own) && isObject(choice) ? overridden(own, choice) : choice];
	});
	return { ...defaults, ...Object.fromEntries(merged) };
}

/** The weigher of a job's weighting, or of any preset with other choices of its method. */
export function weigherOf({ preset, ...chosen }: { readonly preset: WeightingPreset }, task: TaskProfile, seed: number): Weigher<unknown> {
	const { method, defaults } = PRESETS[preset] as WeightingPresetOf<Choices>;
	return method.weigher(overridden(defaults, chosen), task, seed);
}
