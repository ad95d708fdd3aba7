"""What `hapy check` found, and the forms it is printed in: for people, JSON, SARIF, GitHub's annotations.

`findings` gathers and sorts; every other module is one form, a function from a `Report` to text. Nothing here reads
files.
"""
