/** Why no one graph is right at every size; the message goes on from "at another size". */
export class SizeError extends Error {
	override readonly name = 'SizeError';
}
