/** Names of modalities, splits and files: what can stand in a file name and in a graph's value name. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_-]{0,62}$';
