"""Statements to model: what each line means, what it inherits, and what its names refer to.

Here live HAProxy's own checks, in the order HAProxy makes them: line by line while a section is read (`proxies`,
`globals`, `sections`), then over the whole configuration (`finish`). Handlers read one statement and put what it says
into a draft; `freeze` makes the frozen model of the drafts. No file is opened but through `Build.files`, and no socket.
"""
