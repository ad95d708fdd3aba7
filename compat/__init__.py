"""The proof that hapy stands in for haproxy: the same scenarios run against both programs, and what is seen is compared."""
