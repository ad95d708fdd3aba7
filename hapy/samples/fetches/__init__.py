"""The sample fetches, one module per source of information.

Nothing is imported here: `hapy.samples.expression` imports the modules until one has registered the name it looks for.
"""
