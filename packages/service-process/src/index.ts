export {
	type BoundedChild,
	type BoundedChildOptions,
	type ChildCrash,
	type ChildLimits,
	eachLine,
	environmentWithoutSecrets,
	howItEnded,
	memoryText,
	type OrderEnd,
	startBoundedChild,
} from './bounded-child.js';
export { bundled } from './bundled.js';
export { bucketOf, namedRedis, type RedisSetting, type RedisVariables, type ServiceConfig, serviceConfigOf } from './configuration.js';
export { ConfigError, readEnvironment, secretsOf, shownEnvironment, type Variables } from './environment.js';
export { machineMemory, usedMemory } from './machine-memory.js';
export { heldTo } from './memory-limit.js';
export { type OpenStore, openServiceStore } from './open-store.js';
export { runService, type ServiceParts, type ServiceProcess, type Started } from './run.js';
export { inSpan, openTraces, type Span, type SpanKind, type SpanOptions, type Traces, type TracesOptions } from './traces.js';
export { redisVariables, SECRET_VARIABLES, ServiceEnvironment, serviceVariables, storeVariables, variables } from './variables.js';
