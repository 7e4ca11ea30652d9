export { type Config, Environment, readConfig } from './config.js';
export { probe } from './devices.js';
export type { InspectionLimits } from './inspect-process.js';
export type { WorkerMessage } from './main.js';
export type { FromTrainer, ToTrainer, TrainOrder } from './protocol.js';
export { startWorker, type Worker, type WorkerOptions } from './worker.js';
