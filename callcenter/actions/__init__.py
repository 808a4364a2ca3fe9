"""The verbs: each one transaction, the only place that changes anything."""
