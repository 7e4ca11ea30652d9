/**
 * - `shape`: arrays whose lengths do not fit together
 * - `not_finite`: a NaN or an infinity where a number is needed
 * - `configuration`: a choice that is not possible, or that lacks what it needs
 */
export type WeightingErrorCode = 'shape' | 'not_finite' | 'configuration';

/** What this package refuses: the message says where, what was expected and what was found. */
export class WeightingError extends Error {
	override readonly name = 'WeightingError';
	readonly code: WeightingErrorCode;

	constructor(code: WeightingErrorCode, message: string) {
		super(message);
		this.code = code;
	}
}

export function expectLength(what: string, expected: number, found: number): void {
	if (found !== expected) throw new WeightingError('shape', `${what}: expected ${expected} values, found ${found}`);
}
