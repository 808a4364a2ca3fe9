"""Contacts that agents hand to each other: rows in, rows out."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
