"""The typed, frozen result of reading a configuration. Plain data: defaults applied, names resolved, no behaviour.

Units: times are integer milliseconds, sizes are bytes. A limit or time that the file leaves out is None.
"""
