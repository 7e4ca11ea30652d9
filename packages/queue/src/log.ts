/** Where a package says what it does; a pino logger is one. */
export type Log = {
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
};

export const silent: Log = { info() {}, warn() {}, error() {} };
