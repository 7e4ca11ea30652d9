export { mmimMoe } from './mmim-moe.js';
