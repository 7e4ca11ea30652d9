// PhysioNet 2012, which is not part of the project: clinical data with terms of its own.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder: STEELYARD_BENCH_DATA, or p12_icu of ../shared/data. */
export const icu = process.env.STEELYARD_BENCH_DATA ?? fileURLToPath(new URL('../../../shared/data/p12_icu', import.meta.url));

/** What is said where it is not there; null where it is. */
export const withoutIcu = existsSync(icu) ? null : 'neither STEELYARD_BENCH_DATA nor ../shared/data/p12_icu has the data';
