export { fuseMoe } from './fuse-moe.js';
