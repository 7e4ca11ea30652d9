// Figures as the bench prints them. With --json the text goes to standard error, so that standard output has the JSON alone.
const print = process.argv.includes('--json') ? console.error : console.log;

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
/** The smallest and the largest. */
export const spread = (values) => [Math.min(...values), Math.max(...values)];
export const span = ([least, most]) => `${least.toFixed(2)}–${most.toFixed(2)}`;
export const range = (values) => span(spread(values));
export const row = (name, figures) => print(`${name.padEnd(72)} ${figures}`);
