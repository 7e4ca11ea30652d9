/** A Markdown table whose columns are padded, so that it can be read as it is. @param {readonly (readonly string[])[]} rows the head first */
export function tableText(rows) {
	const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
	const lineOf = (/** @type {readonly string[]} */ row) => `| ${row.map((words, column) => words.padEnd(widths[column])).join(' | ')} |`;
	return [lineOf(rows[0]), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.slice(1).map(lineOf)].join('\n');
}
