"""What the outside sees of the proxy: counters and log lines."""
