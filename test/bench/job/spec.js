/** The job that ours and the script in PyTorch train; the defaults of mlp-fusion but for the number of epochs, which nothing ends early. */
export const training = { epochs: 15, batch_size: 32, learning_rate: 1e-3, hidden: 128 };
