"""The back end whose kernels run on an NVIDIA GPU, and what it asks of the device."""
