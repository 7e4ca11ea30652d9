import { setTimeout as delay } from 'node:timers/promises';
import { type Span as ApiSpan, type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Span, SpanOptions, Traces, TracesOptions } from './traces.js';

/** The longest wait for the collector at the end of a process, in milliseconds. */
const LONGEST_CLOSE = 500;

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/** The place of a span that another process has begun. What is no trace context is taken for none, as the specification demands. */
function contextOf(traceparent: string | undefined): Context {
	const [, version, traceId = '', spanId = '', flags = ''] =
		/^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/.exec(traceparent ?? '') ?? [];
	if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return ROOT_CONTEXT;
	return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}

/** Says once that the collector cannot be reached, and not again before it was reached. */
function sayingFailures(exporter: SpanExporter, log: TracesOptions['log']): SpanExporter {
	let failed = false;
	return {
		export: (spans, done) =>
			exporter.export(spans, (result) => {
				if (result.error !== undefined && !failed) log.warn({ err: result.error }, 'traces could not be sent, and are lost');
				failed = result.error !== undefined;
				done(result);
			}),
		shutdown: () => exporter.shutdown(),
	};
}

/** Sends spans by OTLP over HTTP. Collector, headers, sampler, batches and resource are configured by the standard variables of OpenTelemetry. */
export function openOtlpTraces({ name, version, log }: TracesOptions): Traces {
	const resource = defaultResource()
		.merge(resourceFromAttributes({ 'service.name': `steelyard-${name}`, 'service.version': version }))
		.merge(detectResources({ detectors: [envDetector] }));
	const processor = new BatchSpanProcessor(sayingFailures(new OTLPTraceExporter(), log));
	const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
	const tracer = provider.getTracer('steelyard', version);

	function spanOf(own: ApiSpan): Span {
		const { traceId, spanId, traceFlags } = own.spanContext();
		return {
			traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
			child: (of, options) => begin(of, trace.setSpan(ROOT_CONTEXT, own), options),
			set: (attributes) => void own.setAttributes(attributes),
			end(error) {
				if (error !== undefined) own.setStatus({ code: SpanStatusCode.ERROR, message: error });
				own.end();
			},
		};
	}
	const begin = (of: string, parent: Context, { kind = 'internal', attributes = {}, startedAt }: SpanOptions = {}): Span =>
		spanOf(tracer.startSpan(of, { kind: KINDS[kind], attributes, ...(startedAt === undefined ? {} : { startTime: startedAt }) }, parent));

	return {
		begin: (of, traceparent, options) => begin(of, contextOf(traceparent), options),
		async close() {
			const closed = provider.shutdown().then(
				() => true,
				() => false,
			);
			const isSent = await Promise.race([closed, delay(LONGEST_CLOSE, false, { ref: false })]);
			if (!isSent) log.warn({}, 'the last traces could not be sent, and are lost');
		},
	};
}
