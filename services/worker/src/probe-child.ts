// The process that tries the devices once per start of the worker: it loads the engine, and what a broken driver does to it is not done to the worker.
import { probeDevices } from '@steelyard/runtime';
import type { FromProbe } from './protocol.js';

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
const devices = await probeDevices();
process.send?.({ type: 'devices', devices } satisfies FromProbe, () => process.exit());
