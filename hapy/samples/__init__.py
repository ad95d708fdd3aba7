"""Sample expressions and log formats compiled to plain callables of a transaction."""
