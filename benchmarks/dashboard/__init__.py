"""The dashboard against its budgets: what it costs the host, and how soon a page shows what the trainer did."""
