/** Whether a client that accepts these media types is to get the events of a job as a stream. */
export const wantsStream = (accept: string | undefined): boolean =>
	accept !== undefined && accept.split(',').some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream');
