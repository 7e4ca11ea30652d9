import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';

class Found extends Error {}

/** Says where a text stops being valid JSON and why, such as `line 2, column 5: comma expected`. Null where its syntax is valid. */
export function jsonFault(text: string): string | null {
	let fault: string | null = null;
	const onError = (code: ParseErrorCode, _offset: number, _length: number, line: number, column: number) => {
		const reason = printParseErrorCode(code).replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
		fault = `line ${line + 1}, column ${column + 1}: ${reason.toLowerCase()}`;
		// The parser would go on after an error, and could then nest without limit.
		throw new Found();
	};
	try {
		visit(text, { onError }, { disallowComments: true });
	} catch (error) {
		if (!(error instanceof Found)) throw error;
	}
	return fault;
}
