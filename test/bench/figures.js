// Figures as the bench prints them.
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
export const range = (values) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
export const row = (name, figures) => console.log(`${name.padEnd(72)} ${figures}`);
