"""What this host lacks for the services: a section at a time, each a module here."""
