"""Rules: one action, one small function or class; a rule list becomes a tuple of callables."""
