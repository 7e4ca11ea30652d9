import { Type } from 'typebox';

/** The width of the trained vector of a token where a config gives none. */
const DEFAULT_WIDTH = 64;

/** The field of a built-in family for modalities whose numbers are ids of tokens. */
export const tokenFields = {
	token_width: Type.Optional(
		Type.Integer({
			minimum: 1,
			maximum: 4096,
			description: `width of the trained vector of each token, of modalities of tokens; ${DEFAULT_WIDTH} unless given`,
		}),
	),
};

/** The width of the vector of each token. */
export const tokenWidth = ({ token_width: width = DEFAULT_WIDTH }: { readonly token_width?: number }): number => width;
