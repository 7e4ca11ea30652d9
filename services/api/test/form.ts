const BOUNDARY = 'x-x-x';

/** A part of a form: a file where it has a name of its own, else a field. */
export type FormPart = { name: string; filename?: string; type?: string; content: Buffer | string };

/** The body of a form. */
export const form = (...parts: FormPart[]): Buffer =>
	Buffer.concat([
		...parts.flatMap(({ name, filename, type, content }) => [
			Buffer.from(
				`--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n${type === undefined ? '' : `content-type: ${type}\r\n`}\r\n`,
			),
			Buffer.from(content),
			Buffer.from('\r\n'),
		]),
		Buffer.from(`--${BOUNDARY}--\r\n`),
	]);

/** The media type of such a body. */
export const FORM = `multipart/form-data; boundary=${BOUNDARY}`;
