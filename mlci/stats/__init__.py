"""The mathematics of comparison: numpy in, plain numbers out; knows nothing of the rest of mlci."""
