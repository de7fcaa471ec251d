"""The operator's commands, behind scripts/juniper-ctl: the standard library alone."""
