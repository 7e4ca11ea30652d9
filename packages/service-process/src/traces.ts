import type { Logger } from 'pino';
import type { ServiceConfig } from './configuration.js';

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** `server`: answers a request; `producer`: hands something to a queue; `consumer`: takes it from there. */
export type SpanKind = 'internal' | 'server' | 'producer' | 'consumer';

export type SpanOptions = {
	kind?: SpanKind;
	/** By the semantic conventions of OpenTelemetry where these have a name, else under `steelyard.`. */
	attributes?: Attributes;
	/** Unix milliseconds; now unless given. */
	startedAt?: number;
};

/** A part of the work on a request or a job, with its beginning and its end. */
export type Span = {
	/** By which other processes make spans that belong to this one, as W3C Trace Context writes it. */
	readonly traceparent: string;
	/** Begins a part of this one. */
	child(name: string, options?: SpanOptions): Span;
	set(attributes: Attributes): void;
	/** Ends it; `error` is what went wrong in it. */
	end(error?: string): void;
};

/** Where the spans of a process go. */
export type Traces = {
	/** Begins a span, as a part of the one that `traceparent` names, else of none. */
	begin(name: string, traceparent: string | undefined, options?: SpanOptions): Span;
	/** Sends what was not sent yet, for half a second at most. */
	close(): Promise<void>;
};

export type TracesOptions = { name: string; version: string; log: Pick<Logger, 'warn'> };

/** Opens the traces of a process where its configuration names a collector, else gives null. OpenTelemetry is loaded for the former alone. */
export async function openTraces({ traces }: Pick<ServiceConfig, 'traces'>, options: TracesOptions): Promise<Traces | null> {
	if (!traces) return null;
	const { openOtlpTraces } = await import('./otlp-traces.js');
	return openOtlpTraces(options);
}

/** Ends a span with what it stands for, where there is one. */
export async function inSpan<T>(span: Span | null, work: () => Promise<T>): Promise<T> {
	try {
		const done = await work();
		span?.end();
		return done;
	} catch (error) {
		span?.end(error instanceof Error ? error.message : String(error));
		throw error;
	}
}
