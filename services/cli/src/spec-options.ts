import { Option } from 'commander';
import { UsageError } from './output.js';

/** Fields of a job by their paths, such as `training.epochs`. */
export type Fields = { readonly path: readonly string[]; readonly value: unknown }[];

/** A value as it is written in JSON; what is no JSON is a text. */
function valueOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

/** Reads `training.epochs=5`. Throws UsageError where there is no `=`, or a name is missing. */
function fieldOf(text: string): Fields[number] {
	const at = text.indexOf('=');
	const path = text.slice(0, Math.max(0, at)).split('.');
	if (path.some((name) => !/^[A-Za-z]\w*$/.test(name)))
		throw new UsageError(`--set ${text}: expected FIELD=VALUE, such as training.epochs=5 or model.family=mmim-moe`);
	return { path, value: valueOf(text.slice(at + 1)) };
}

/** The option that sets fields of a job. */
export const setOption = (): Option =>
	new Option(
		'--set <field=value>',
		'set a field of the job, such as training.optimizer.learning_rate=0.01, or a JSON value; may be given several times',
	).argParser((text: string, before: Fields = []): Fields => [...before, fieldOf(text)]);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function withField(object: unknown, [name = '', ...inner]: readonly string[], value: unknown): Record<string, unknown> {
	const own = isObject(object) ? object : {};
	return { ...own, [name]: inner.length === 0 ? value : withField(own[name], inner, value) };
}

/** A job with these fields set, the later ones over the earlier. */
export const withFields = <Spec extends object>(spec: Spec, fields: Fields = []): Spec =>
	fields.reduce<object>((changed, { path, value }) => withField(changed, path, value), spec) as Spec;
