"""The running proxy. It imports `hapy_config`, never the other way round."""

from hapy.compiled import settle

settle()
