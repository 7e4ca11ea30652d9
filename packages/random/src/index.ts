export { type CounterRandom, counterRandom } from './counter-random.js';
export { shuffle, shuffledOrder } from './shuffled-order.js';
