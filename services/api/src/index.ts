export { type AppOptions, buildApp } from './app.js';
export { type Config, Environment, isLoopback, readConfig } from './config.js';
export type { App } from './fastify-app.js';
export type { ApiMessage } from './main.js';
export { type Server, startServer } from './server.js';
