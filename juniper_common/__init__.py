"""What every Juniper process is: settings, logs, readiness, the server, health, security, errors, the wire's models.

It knows none of the services, and never imports torch, cupy, numba or nicegui.
"""

__version__ = "0.1.0"
