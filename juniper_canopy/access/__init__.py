"""Who may see and command the dashboard, and how often: plain ASGI, so that WebSockets are asked as well."""
