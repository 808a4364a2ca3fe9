"""The glass: the agents' console, the customer's history on it, and the wallboard."""
