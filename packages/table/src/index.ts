export type { Cell, Rows, Table } from './cell.js';
export { TABLE_LIMITS, type TableLimits } from './limits.js';
export { formatOf, type OpenTableOptions, openTable } from './open-table.js';
export { TableError } from './table-error.js';
