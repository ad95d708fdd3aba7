"""The small languages inside arguments: expressions, conditions, log formats, addresses, units, regular expressions.

Text or words in, a frozen model value out, or a `GrammarError` that names the place. Nothing here knows sections, keeps
state, opens files or looks names up: what an expression refers to (tables, backends, users) is for the builder, which
asks `expressions.references`.
"""
