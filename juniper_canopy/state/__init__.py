"""What the process holds of training: values and rules, no network and no clock of its own."""
