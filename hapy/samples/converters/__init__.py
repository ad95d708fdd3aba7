"""The converters, one module per kind of value.

Nothing is imported here: `hapy.samples.expression` imports the modules until one has registered the name it looks for.
"""
