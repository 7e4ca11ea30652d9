// The order of rows in each epoch as a job draws it: `node order.js SEED EPOCHS ROWS` prints [[row, …], …].
import { shuffledOrder } from '@steelyard/random';

const [seed = 0, epochs = 0, rows = 0] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(Array.from({ length: epochs }, (_, epoch) => [...shuffledOrder(seed, epoch, rows)])));
