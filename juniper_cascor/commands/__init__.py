"""What the command line does without the services. Heavy libraries are loaded when one of its commands runs."""
