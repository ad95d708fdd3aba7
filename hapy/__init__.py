"""The running proxy. It imports `hapy_config`, never the other way round."""
