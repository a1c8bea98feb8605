"""Pictures between their file and the array of a data set: depth, size and channels."""
