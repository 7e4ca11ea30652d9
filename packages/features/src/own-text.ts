/** From this length on V8 keeps a part of a string as a view of the whole. */
const VIEW = 13;

/** The same text in memory of its own. What is kept of a cell would keep the megabyte of the file that was read with it. */
export const ownText = (text: string): string => (text.length < VIEW ? text : Buffer.from(text, 'utf16le').toString('utf16le'));
