/** Where a package reports what it does; a pino logger fits. */
export type Log = {
	info(fields: object, message: string): void;
	warn(fields: object, message: string): void;
	error(fields: object, message: string): void;
};

/** A log that drops everything. */
export const silent: Log = { info() {}, warn() {}, error() {} };
