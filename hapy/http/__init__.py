"""HTTP/1 messages without I/O: heads, framing, codecs, error answers.

Bytes in, events out; no socket, no loop, no rule. `codec` is the door.
"""
