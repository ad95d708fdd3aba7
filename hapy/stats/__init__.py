"""The statistics page (`stats enable` and its kin) and the exporter of metrics: counters over HTTP.

`page` decides which requests are answered, `html` writes what people read, `forms` does what they ask for, `metrics`
writes what Prometheus reads. The numbers come from the rows of `hapy.runtime_api`. Nothing here is imported unless the
configuration asks for it.
"""
