// Our side of the bench of tables: `ingest.js FILE FOLDER` takes in a csv file as the process of the API does that reads uploads, and says its largest resident size in MiB.
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ingestUpload } from '../../../packages/features/dist/index.js';

const [path, folder] = process.argv.slice(2);
const [target, work] = [join(folder, 'dataset'), join(folder, 'work')];
await mkdir(target, { recursive: true });
const manifest = JSON.stringify({ label: 'label', split: 'split' });
await ingestUpload({ path, filename: basename(path), name: 'bench', manifest, label: null, work }, target);
console.log(process.resourceUsage().maxRSS / 1024);
