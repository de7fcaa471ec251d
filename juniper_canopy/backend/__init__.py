"""Where the dashboard's data comes from and its commands go to: one protocol, a module for each way to fulfil it."""
