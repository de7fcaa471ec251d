"""Takes backups of what the services keep, proves them, restores them, and lets old ones go."""
