"""The mathematics: arrays in, events out. It knows nothing of settings, HTTP, processes or disks."""
