"""Mail: the outbox of the house, sent to the mail server that takes it."""
