export { type Service, type ServiceOptions, startService } from './service.js';
export { untilSignal } from './until-signal.js';
