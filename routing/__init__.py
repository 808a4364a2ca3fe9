"""The decisions: which agent gets which work, and why."""
