import { fileURLToPath } from 'node:url';

/** The folder with the files of the page, which `build.js` makes: `index.html`, and `assets/` whose names hold a hash of their content. Beside each file may be a `.br` and a `.gz`. */
export const PAGE_FOLDER = fileURLToPath(new URL('./site', import.meta.url));
