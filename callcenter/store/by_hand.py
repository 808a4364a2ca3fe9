"""The rows of contacts that are noted by hand."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
