export type { Cell, Rows, Table } from './cell.js';
export { TABLE_LIMITS, type TableLimits } from './limits.js';
export { tableOf } from './objects.js';
export { formatOf, type OpenTableOptions, openCsvBytes, openTable } from './open-table.js';
export { TableError } from './table-error.js';
