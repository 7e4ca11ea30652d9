/** What one key may take of the service. */
export type Limits = {
	/** Requests in a minute. */
	rate: number;
	/** Requests at the same time, without event streams. */
	requests: number;
	/** Event streams at the same time. */
	streams: number;
	/** Requests in a minute that are refused for lack of a valid key, by address, or of rights, by key. */
	refusals: number;
};

/** What a key may take, unless given. The rate is that of a client which sends 500 requests a second. */
export const LIMITS: Limits = { rate: 30_000, requests: 128, streams: 256, refusals: 100 };
