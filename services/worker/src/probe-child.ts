// The process that tries the devices once per start of a worker. It loads the engine, so a broken driver crashes this process and not the worker.
import { probeDevices } from '@steelyard/runtime';
import type { FromProbe } from './protocol.js';

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
const devices = await probeDevices();
process.send?.({ type: 'devices', devices } satisfies FromProbe, () => process.exit());
