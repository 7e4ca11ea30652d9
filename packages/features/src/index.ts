export type { Featuriser } from './featuriser.js';
export { FEATURISER_FILE, type IngestTableOptions, ingestTable, RECIPE_FILE } from './ingest-table.js';
