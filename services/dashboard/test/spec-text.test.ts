import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { jsonFault } from '../src/page/new-job/json-fault.ts';
import { curlText, jsonText, pythonText, typescriptText } from '../src/page/new-job/snippets.ts';

describe('where a text stops being JSON', () => {
	it.each([
		['{"a": 1,\n "b": }', { line: 2, column: 7, expected: 'a value' }],
		['{"a": 1\n "b": 2}', { line: 2, column: 2, expected: 'a comma or }' }],
		['{a: 1}', { line: 1, column: 2, expected: 'a name in double quotes' }],
		['{"a" 1}', { line: 1, column: 6, expected: 'a colon' }],
		['[1, 2', { line: 1, column: 6, expected: 'a comma or ]' }],
		['[1,]', { line: 1, column: 4, expected: 'a value' }],
		['{} x', { line: 1, column: 4, expected: 'nothing more' }],
		['"a\nb"', { line: 1, column: 1, expected: 'a text that ends with a double quote in its line' }],
		['', { line: 1, column: 1, expected: 'a value' }],
		['[01]', { line: 1, column: 3, expected: 'a comma or ]' }],
	])('%j', (text, fault) => {
		expect(() => JSON.parse(text)).toThrow(SyntaxError);
		expect(jsonFault(text)).toEqual(fault);
	});

	it.each(['{}', ' [1, -2.5e-3, true, null, "\\u00e9\\n"] ', '{"a": {"b": [[]]}, "c": ""}', '0'])('is nowhere in %j', (text) => {
		JSON.parse(text);
		expect(jsonFault(text)).toBeNull();
	});
});

describe('a spec as text', () => {
	const spec = {
		dataset: 'ds_1',
		name: 'it\'s "first" $HOME \\ `x`',
		modalities: ['text', 'links'],
		training: { epochs: 3, early_stopping: null, standardize: false },
		metadata: { 'two words': 'é' },
	};
	const target = { of: 'job', url: 'http://127.0.0.1:8080', hasKey: false, project: null } as const;

	it('is JSON', () => {
		expect(JSON.parse(jsonText(spec))).toEqual(spec);
		expect(jsonText(spec)).toContain('"modalities": ["text", "links"]');
	});

	it('is a command whose body a shell hands on as it is', () => {
		const shown = execFileSync('sh', ['-c', `curl() { for last; do :; done; printf %s "$last"; }\n${curlText(spec, target)}`], {
			encoding: 'utf8',
		});
		expect(JSON.parse(shown)).toEqual(spec);
	});

	it('is TypeScript that means the same', () => {
		const literal = /create\(([\s\S]*)\);\nfor await/.exec(typescriptText(spec, target))?.[1];
		expect(Function(`return (${literal})`)()).toEqual(spec);
	});

	it('is Python', () => {
		expect(pythonText({ dataset: 'ds_1', training: { early_stopping: null, standardize: false } }, target)).toBe(
			`from steelyard import Client

client = Client("http://127.0.0.1:8080")
job = client.jobs.create({
    "dataset": "ds_1",
    "training": {
        "early_stopping": None,
        "standardize": False,
    },
})
print(job["id"])
`,
		);
	});

	it('takes the key from the environment, where one is wanted', () => {
		const secured = { ...target, hasKey: true, project: 'mail' };
		expect(curlText(spec, secured)).toContain('-H "authorization: Bearer $STEELYARD_API_KEY"');
		expect(curlText(spec, secured)).toContain("-H 'steelyard-project: mail'");
		expect(typescriptText(spec, secured)).toContain("apiKey: process.env.STEELYARD_API_KEY ?? '', project: 'mail'");
		expect(pythonText(spec, secured)).toContain('api_key=os.environ["STEELYARD_API_KEY"], project="mail"');
		for (const write of [curlText, typescriptText, pythonText]) expect(write(spec, target)).not.toContain('API_KEY');
	});
});
