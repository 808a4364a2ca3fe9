"""Notices and the calls that tell of them: the queries."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
