"""The dashboard: shows training live, and passes commands to the training service."""
