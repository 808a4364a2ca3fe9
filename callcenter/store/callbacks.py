"""Callbacks, calls that we place, and numbers that are not called: the queries."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
