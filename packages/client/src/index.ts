export type { JobRequest } from '@steelyard/contracts';
export { type Client, createClient } from './client.js';
export type { ClientOptions } from './connection.js';
export type { Datasets, Page, UploadOptions, UploadsPage } from './datasets.js';
export { type ErrorCode, SteelyardError } from './error.js';
export type { FollowOptions } from './follow.js';
export type { Jobs, JobsPage } from './jobs.js';
export type { Keys } from './keys.js';
export type { Models } from './models.js';
