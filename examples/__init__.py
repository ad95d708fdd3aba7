"""The cookbook's source: one use case a file in `haproxy_cfgs`, and what puts the README's guide together from them."""
