/**
 * Where the field stands that an error of the service names, most exact first: `training.loss.gamma`, then `training.loss`, then `training`. A place in a list is
 * written as `modalities[0]` or `modalities.0`. Nothing for what is no field.
 */
export function placesOf(param: string | null): string[] {
	if (param === null || param === '') return [];
	const parts = param.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
	return parts.map((_, i) => parts.slice(0, parts.length - i).join('.'));
}
