"""ACLs and conditions compiled to predicates of a transaction."""
