export { openPredictor, type Predictor } from './predictor.js';
export { predictCsv, predictJson } from './requests.js';
