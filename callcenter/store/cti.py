"""Calls that other PBXs tell of: the queries."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
